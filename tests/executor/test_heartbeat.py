"""A message stays ours for as long as it is dealt with, and losing it is no accident."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable

from executor.heartbeat import kept
from executor.log import Log
from executor.receiving import Receiving
from tests.executor.by_hand import run
from tests.fakes.memory_queue import MemoryQueue
from when_to_invest.errors import ErrorCode, Fault

Sleep = Callable[[float], Awaitable[None]]


class Watched(MemoryQueue):
    """Tells when a message was extended."""

    def watch(self, *, is_lost: bool = False, fails_first: int = 0) -> asyncio.Event:
        self.extended, self.is_lost, self.fails_first = asyncio.Event(), is_lost, fails_first
        self.asked: list[tuple[str, int]] = []
        self.slept_s: list[float] = []
        return self.extended

    def extend(self, receipt: str, *, visibility_s: int) -> None:
        self.asked.append((receipt, visibility_s))
        if len(self.asked) <= self.fails_first:
            raise Fault(ErrorCode.QUEUE_UNAVAILABLE, "the queue does not answer", fix="wait")
        self.extended.set()
        if self.is_lost:
            raise Fault(ErrorCode.RECEIPT_EXPIRED, "no longer yours", fix="do nothing")

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        await asyncio.sleep(0)


async def keep_while(
    queue: Watched, work: Callable[[], Awaitable[object]], *, sleep: Sleep, text: io.StringIO | None = None
) -> None:
    log = Log(text or io.StringIO())
    async with kept(Receiving(queue, queue), "r-1", visibility_s=3, log=log, sleep=sleep):
        await work()


def test_a_message_is_extended_every_third_of_its_visibility_while_the_work_takes_long() -> None:
    queue = Watched()
    extended = queue.watch()
    run(keep_while(queue, extended.wait, sleep=queue.sleep))
    assert queue.asked[0] == ("r-1", 3)
    assert set(queue.slept_s) == {1.0}


def test_short_work_extends_nothing() -> None:
    queue = Watched()
    queue.watch()
    run(keep_while(queue, lambda: asyncio.sleep(0), sleep=asyncio.sleep))
    assert queue.asked == []


def test_a_lost_message_is_noted_and_the_work_goes_on() -> None:
    queue, text = Watched(), io.StringIO()
    extended = queue.watch(is_lost=True)

    async def work() -> None:
        await extended.wait()
        for _ in range(10):
            await asyncio.sleep(0)

    run(keep_while(queue, work, sleep=queue.sleep, text=text))
    assert "message_not_kept" in text.getvalue()
    assert len(queue.asked) == 1


def test_a_queue_that_does_not_answer_once_is_asked_again() -> None:
    queue, text = Watched(), io.StringIO()
    extended = queue.watch(fails_first=1)
    run(keep_while(queue, extended.wait, sleep=queue.sleep, text=text))
    assert "message_not_kept" in text.getvalue()
    assert len(queue.asked) >= 2


def test_the_beat_ends_with_the_work() -> None:
    queue = Watched()
    extended = queue.watch()

    async def work() -> int:
        await keep_while(queue, extended.wait, sleep=queue.sleep)
        beats = len(queue.asked)
        for _ in range(10):
            await asyncio.sleep(0)
        return len(queue.asked) - beats

    assert run(work()) == 0
