"""Where blocking calls run: off the event loop in production, in place where time is simulated.

Stage: executor, around every file, queue and disk. The loop itself only computes. A call that
was begun is always waited for: who is cancelled meanwhile learns of it after the call has
ended, so that nobody goes on beside a write that is still under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Offload(Protocol):
    """Runs one blocking call at a time, in the order they are asked for."""

    async def run(self, call: Callable[[], Result]) -> Result:
        """Return what `call` returns, or raise what it raises, once it has ended."""
        ...


class InPlace:
    """Blocks the loop: for tests, simulations, and what never takes long."""

    async def run(self, call: Callable[[], Result]) -> Result:
        """See `Offload.run`; others may go first, then nothing else runs until it has ended."""
        await asyncio.sleep(0)
        return call()


class OneThread:
    """Its own thread: what must not be done by two at once goes through one of these."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, call: Callable[[], Result]) -> Result:
        """See `Offload.run`."""
        running = asyncio.get_running_loop().run_in_executor(self._pool, call)
        is_cancelled = False
        while not running.done():
            try:
                await asyncio.wait((running,))
            except asyncio.CancelledError:
                is_cancelled = True
        task = asyncio.current_task()
        if is_cancelled and task is not None:
            # Told again at the next await, once what has ended was taken note of.
            task.cancel()
        return running.result()

    def close(self) -> None:
        """Wait for what is under way, and end the thread."""
        self._pool.shutdown()
