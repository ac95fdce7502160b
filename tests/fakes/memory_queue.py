"""An order queue in memory: FIFO a group, redelivery, dead letters, and duplicates on demand.

Its clock is a number that tests move; a message in flight comes back when its visibility
ends, as after the death of a receiver. Without `deduplication_s` every send is a new
message, as when it is repeated after the real queue's five minutes. Written as naively as
possible: the contract suite and the embedded queue's state machine hold it against the
real ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from home.tracing import valid
from ledger.queue import OutgoingMessage, ReceivedMessage
from when_to_invest.errors import ErrorCode, Fault


@dataclass
class _Held:
    number: int
    message: OutgoingMessage
    visible_at: float = 0.0
    receive_count: int = 0
    receipt: str = ""


@dataclass
class MemoryQueue:
    """Implements `QueueSender`, `QueueReceiver` and `DeadLetterBox`."""

    visibility_s: float = 30.0
    max_receives: int = 5
    deduplication_s: float = 0.0
    now_s: float = 0.0
    held: list[_Held] = field(default_factory=list)
    dead: list[OutgoingMessage] = field(default_factory=list)
    letters: dict[str, ReceivedMessage] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=lambda: count(1))
    remembered: dict[str, tuple[str, float]] = field(default_factory=dict)

    def send(self, message: OutgoingMessage) -> str:
        first, until = self.remembered.get(message.deduplication_id, ("", self.now_s))
        if until > self.now_s:
            return first
        number = next(self.numbers)
        self.held.append(_Held(number, message))
        self.remembered[message.deduplication_id] = (f"m-{number}", self.now_s + self.deduplication_s)
        return f"m-{number}"

    def send_batch(self, messages: Sequence[OutgoingMessage]) -> tuple[str | Fault, ...]:
        return tuple(self.send(message) for message in messages)

    def receive(self, *, max_messages: int, wait_s: float) -> tuple[ReceivedMessage, ...]:
        taken: list[ReceivedMessage] = []
        blocked: set[str] = {held.message.group for held in self.held if held.visible_at > self.now_s}
        for held in list(self.held):
            if len(taken) == max_messages or held.message.group in blocked:
                continue
            if held.receive_count >= self.max_receives:
                self.held.remove(held)
                self._set_aside(held)
                continue
            taken.append(self._hand_out(held))
        return tuple(taken)

    def delete(self, receipt: str) -> None:
        self.held.remove(self._in_flight(receipt))

    def delete_batch(self, receipts: Sequence[str]) -> tuple[Fault | None, ...]:
        answers: list[Fault | None] = []
        for receipt in receipts:
            try:
                self.delete(receipt)
                answers.append(None)
            except Fault as fault:
                answers.append(fault)
        return tuple(answers)

    def extend(self, receipt: str, *, visibility_s: int) -> None:
        self._in_flight(receipt).visible_at = self.now_s + visibility_s

    def is_empty(self) -> bool:
        return not self.held

    def look(self, *, max_messages: int) -> tuple[ReceivedMessage, ...]:
        first = list(self.letters.values())[:max_messages]
        for letter in first:
            self.letters[letter.receipt] = self.letters.pop(letter.receipt)
        return tuple(first)

    def remove(self, receipt: str) -> None:
        self.letters.pop(receipt, None)

    def shuffle_first_to_last(self) -> None:
        """Deliver the oldest message after all others."""
        self.held.append(self.held.pop(0))

    def _set_aside(self, held: _Held) -> None:
        self.dead.append(held.message)
        letter = f"dead-{held.number}"
        self.letters[letter] = replace(_received(held), receipt=letter)

    def _hand_out(self, held: _Held) -> ReceivedMessage:
        held.receive_count += 1
        held.visible_at = self.now_s + self.visibility_s
        held.receipt = f"{held.number}/{held.receive_count}"
        return _received(held)

    def _in_flight(self, receipt: str) -> _Held:
        for held in self.held:
            if held.receipt == receipt and held.visible_at > self.now_s:
                return held
        raise Fault(ErrorCode.RECEIPT_EXPIRED, "no longer yours", fix="do nothing")


def _received(held: _Held) -> ReceivedMessage:
    message = held.message
    return ReceivedMessage(
        f"m-{held.number}",
        held.receipt,
        message.body,
        message.group,
        message.deduplication_id,
        held.receive_count,
        valid(message.traceparent),
    )
