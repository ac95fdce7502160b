"""The embedded queue does what the naive one in memory does, whatever is asked of both."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from ledger.queue import DEDUPLICATION_S, OutgoingMessage, QueueReceiver, ReceivedMessage
from ledger.sqlite_queue import SqliteQueue
from tests.fakes.memory_queue import MemoryQueue
from when_to_invest.errors import Fault

VISIBILITY_S = 30.0
MAX_RECEIVES = 3


def _told(message: ReceivedMessage) -> tuple[str, str, str, int]:
    return message.body, message.group, message.deduplication_id, message.receive_count


class QueueMachine(RuleBasedStateMachine):
    """Asks the real queue and the model the same and compares the answers."""

    in_flight: ClassVar[Bundle[tuple[str, str]]] = Bundle("in_flight")

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.model = MemoryQueue(VISIBILITY_S, MAX_RECEIVES, DEDUPLICATION_S)
        self.real = SqliteQueue(
            Path(self.directory.name) / "queue.sqlite",
            visibility_s=VISIBILITY_S,
            max_receives=MAX_RECEIVES,
            now=lambda: self.model.now_s,
        )
        # What a crash must not cost is not asked here; without syncing there is time for more.
        self.real._connection.execute("PRAGMA synchronous = OFF")
        self.ids: dict[str, str] = {}

    def teardown(self) -> None:
        self.real.close()
        self.directory.cleanup()

    @rule(number=st.integers(0, 8), group=st.sampled_from("ab"))
    def send(self, number: int, group: str) -> None:
        message = OutgoingMessage(f"body {number}", group, f"d-{number}")
        expected, answered = self.model.send(message), self.real.send(message)
        assert self.ids.setdefault(expected, answered) == answered

    @rule(target=in_flight, max_messages=st.integers(1, 10))
    def receive(self, max_messages: int) -> object:
        expected = self.model.receive(max_messages=max_messages, wait_s=0.0)
        answered = self.real.receive(max_messages=max_messages, wait_s=0.0)
        assert [_told(message) for message in answered] == [_told(message) for message in expected]
        receipts = zip(expected, answered, strict=True)
        return multiple(*((mine.receipt, theirs.receipt) for mine, theirs in receipts))

    @rule(receipts=consumes(in_flight))
    def delete(self, receipts: tuple[str, str]) -> None:
        self._same(receipts, lambda queue, receipt: queue.delete(receipt))

    @rule(receipts=in_flight, visibility_s=st.sampled_from([0, 1, 30, 90]))
    def extend(self, receipts: tuple[str, str], visibility_s: int) -> None:
        self._same(receipts, lambda queue, receipt: queue.extend(receipt, visibility_s=visibility_s))

    @rule(seconds=st.sampled_from([1.0, 29.0, 30.0, 299.0]))
    def pass_time(self, seconds: float) -> None:
        self.model.now_s += seconds

    @invariant()
    def counts_are_the_same(self) -> None:
        depth = self.real.depth()
        assert depth.waiting + depth.in_flight == len(self.model.held)
        assert depth.in_flight == sum(held.visible_at > self.model.now_s for held in self.model.held)
        assert [dead.body for dead in self.real.dead_letters()] == [dead.body for dead in self.model.dead]

    def _same(self, receipts: tuple[str, str], act: object) -> None:
        assert _refusal(self.model, receipts[0], act) == _refusal(self.real, receipts[1], act)


def _refusal(queue: QueueReceiver, receipt: str, act: object) -> str | None:
    try:
        act(queue, receipt)  # type: ignore[operator]
    except Fault as fault:
        return fault.code.value
    return None


TestQueueMachine = pytest.mark.proof(QueueMachine.TestCase)
