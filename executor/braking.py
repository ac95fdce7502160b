"""Cancels what is stopped while something else goes on that may take long, such as a start.

Stage: executor → venue. A start looks for lost orders for minutes; a halt that falls meanwhile leaves
no order open. It must never outlive what it watches over, nor end without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from executor.patience import Patience
from executor.service import Service

EVERY_S: Final = 0.25


async def braked(work: Coroutine[Any, Any, None], *, service: Service, patience: Patience) -> None:
    """Do `work`, cancelling what is stopped again and again until it has ended.

    Raises:
        Exception: what `work` raises; or what keeps the brake from working, which ends `work`.
    """
    working = asyncio.create_task(work, name="braked")
    brake = asyncio.create_task(_keep_cancelling(service, patience), name="brake")
    try:
        await asyncio.wait((working, brake), return_when=asyncio.FIRST_COMPLETED)
        if brake.done():
            # It ends by itself only when the process is to stop, which `work` notices, too.
            brake.result()
        await working
    finally:
        for task in (working, brake):
            task.cancel()
        await asyncio.gather(working, brake, return_exceptions=True)


async def _keep_cancelling(service: Service, patience: Patience) -> None:
    while not patience.is_over:
        await service.keep_stopped()
        await patience.pause(EVERY_S)
