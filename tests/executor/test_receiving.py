"""Messages that are done with at the same time leave the queue together; each learns of its own end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain
from typing import cast

import pytest

from executor.offload import InPlace, Result
from executor.receiving import Receiving
from ledger.queue import MAX_BATCH, DeadLetterBox, QueueReceiver
from tests.executor.by_hand import run
from when_to_invest.errors import ErrorCode, Fault

EXPIRED = Fault(ErrorCode.RECEIPT_EXPIRED, "it is no more ours", fix="do nothing")


class Deleting:
    """Notes what was deleted together; `late` are no more ours, and `fails` fails a whole batch."""

    def __init__(self, *, late: Sequence[str] = (), fails: str = "") -> None:
        self.batches: list[list[str]] = []
        self._late = late
        self._fails = fails

    def delete_batch(self, receipts: Sequence[str]) -> tuple[Fault | None, ...]:
        self.batches.append([*receipts])
        if self._fails in receipts:
            raise Fault(ErrorCode.QUEUE_UNAVAILABLE, "no answer", fix="try again")
        return tuple(EXPIRED if receipt in self._late else None for receipt in receipts)


def receiving(queue: Deleting, *, answers: InPlace | None = None) -> Receiving:
    return Receiving(cast("QueueReceiver", queue), cast("DeadLetterBox", None), answers=answers or InPlace())


def all_at_once(queue: Deleting, *receipts: str) -> list[object]:
    async def work() -> list[object]:
        messages = receiving(queue)
        return await asyncio.gather(*map(messages.delete, receipts), return_exceptions=True)

    return run(work())


def test_whoever_comes_during_a_delete_leaves_with_the_next() -> None:
    queue = Deleting()
    assert all_at_once(queue, "a", "b", "c", "d") == [None] * 4
    assert queue.batches == [["a"], ["b", "c", "d"]]


def test_no_more_leave_together_than_a_queue_takes() -> None:
    queue = Deleting()
    receipts = [f"r{number}" for number in range(MAX_BATCH + 3)]
    all_at_once(queue, *receipts)
    assert [len(batch) for batch in queue.batches] == [1, MAX_BATCH, 2]
    assert [*chain(*queue.batches)] == receipts


def test_each_learns_of_its_own_receipt_alone() -> None:
    first, second, third = all_at_once(Deleting(late=["b"]), "a", "b", "c")
    assert first is third is None
    assert second is EXPIRED


def test_a_queue_that_fails_fails_all_that_were_asked_for_together() -> None:
    first, *told = all_at_once(Deleting(fails="b"), "a", "b", "c")
    assert first is None
    assert [error.code for error in told] == [ErrorCode.QUEUE_UNAVAILABLE] * 2  # type: ignore[attr-defined]


def test_who_is_cancelled_takes_nobody_along() -> None:
    class Gated(InPlace):
        def __init__(self) -> None:
            self.gate = asyncio.Event()

        async def run(self, call: Callable[[], Result]) -> Result:
            await self.gate.wait()
            return call()

    async def work() -> list[list[str]]:
        queue, answers = Deleting(), Gated()
        messages = receiving(queue, answers=answers)
        first, second = (asyncio.create_task(messages.delete(receipt)) for receipt in ("a", "b"))
        await asyncio.sleep(0)
        first.cancel()
        answers.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await first
        await second
        return queue.batches

    assert run(work()) == [["b"]]
