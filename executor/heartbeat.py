"""Keeps a message ours while it is dealt with, however long the venue takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from executor.log import Log
from executor.receiving import Receiving
from when_to_invest.errors import Fault


@asynccontextmanager
async def kept(
    queue: Receiving,
    receipt: str,
    *,
    visibility_s: int,
    log: Log,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[None]:
    """Extend the receipt every third of `visibility_s` for the length of the block.

    A queue that does not answer is asked again at the next beat; only a message that
    belongs to somebody else is given up. Losing it is no danger: the journal alone says
    what was done about it.
    """

    async def beat() -> None:
        while True:
            await sleep(visibility_s / 3)
            try:
                await queue.extend(receipt, visibility_s=visibility_s)
            except Fault as fault:
                log.say("message_not_kept", code=fault.code.value)
                if not fault.is_retryable:
                    return

    task = asyncio.create_task(beat(), name="message-heartbeat")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
