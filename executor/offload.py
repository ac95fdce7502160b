"""Where blocking calls run: off the event loop in production, in place where time is simulated.

Stage: executor, around every file, queue and disk. The loop itself only computes. A call that
was begun is always waited for: who is cancelled meanwhile learns of it after the call has
ended, so that nobody goes on beside a write that is still under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

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


class _UnderWay(Generic[Result]):
    """One call in another thread; half the steps of `run_in_executor`, which nobody may cancel anyway."""

    def __init__(self, call: Callable[[], Result], loop: asyncio.AbstractEventLoop) -> None:
        self._call = call
        self._loop = loop
        self._end: asyncio.Future[None] | None = None
        self._result: list[Result] = []
        self._error: BaseException | None = None
        self.is_over = False

    def work(self) -> None:
        """Do it, in the other thread, and tell the loop."""
        try:
            self._result.append(self._call())
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
            self._error = error
        self._loop.call_soon_threadsafe(self._ended)

    def end(self) -> asyncio.Future[None]:
        """Return what is done when the call has ended."""
        self._end = self._loop.create_future()
        return self._end

    def result(self) -> Result:
        """Return what the call returned, or raise what it raised."""
        if self._error is not None:
            raise self._error
        return self._result[0]

    def _ended(self) -> None:
        self.is_over = True
        if self._end is not None and not self._end.done():
            self._end.set_result(None)


class OneThread:
    """Its own thread: what must not be done by two at once goes through one of these."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, call: Callable[[], Result]) -> Result:
        """See `Offload.run`."""
        under_way = _UnderWay(call, asyncio.get_running_loop())
        self._pool.submit(under_way.work)
        is_cancelled = False
        while not under_way.is_over:
            try:
                await under_way.end()
            except asyncio.CancelledError:
                is_cancelled = True
        task = asyncio.current_task()
        if is_cancelled and task is not None:
            # Told again at the next await, once what has ended was taken note of.
            task.cancel()
        return under_way.result()

    def close(self) -> None:
        """Wait for what is under way, and end the thread."""
        self._pool.shutdown()
