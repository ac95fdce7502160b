"""A message stays ours for as long as it is dealt with, and losing it is no accident."""

from __future__ import annotations

import io
import threading

from executor.heartbeat import kept
from executor.log import Log
from tests.fakes.memory_queue import MemoryQueue
from when_to_invest.errors import ErrorCode, Fault


class Watched(MemoryQueue):
    """Tells when a message was extended."""

    def watch(self, *, is_lost: bool = False, fails_first: int = 0) -> threading.Event:
        self.extended, self.is_lost, self.fails_first = threading.Event(), is_lost, fails_first
        self.asked: list[tuple[str, int]] = []
        return self.extended

    def extend(self, receipt: str, *, visibility_s: int) -> None:
        self.asked.append((receipt, visibility_s))
        if len(self.asked) <= self.fails_first:
            raise Fault(ErrorCode.QUEUE_UNAVAILABLE, "the queue does not answer", fix="wait")
        self.extended.set()
        if self.is_lost:
            raise Fault(ErrorCode.RECEIPT_EXPIRED, "no longer yours", fix="do nothing")


def test_a_message_is_extended_while_the_work_takes_long() -> None:
    queue = Watched()
    extended = queue.watch()
    with kept(queue, "r-1", visibility_s=1, log=Log(io.StringIO())):
        assert extended.wait(timeout=10)
    assert queue.asked[0] == ("r-1", 1)


def test_short_work_extends_nothing() -> None:
    queue = Watched()
    queue.watch()
    with kept(queue, "r-1", visibility_s=3600, log=Log(io.StringIO())):
        pass
    assert queue.asked == []


def test_a_lost_message_is_noted_and_the_work_goes_on() -> None:
    queue, text = Watched(), io.StringIO()
    extended = queue.watch(is_lost=True)
    with kept(queue, "r-1", visibility_s=1, log=Log(text)):
        assert extended.wait(timeout=10)
    assert "message_not_kept" in text.getvalue()
    assert len(queue.asked) == 1


def test_a_queue_that_does_not_answer_once_is_asked_again() -> None:
    queue, text = Watched(), io.StringIO()
    extended = queue.watch(fails_first=1)
    with kept(queue, "r-1", visibility_s=1, log=Log(text)):
        assert extended.wait(timeout=10)
    assert "message_not_kept" in text.getvalue()
    assert len(queue.asked) >= 2
