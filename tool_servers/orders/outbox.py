"""Sends what was sealed: the journal first, the queue second, and again after a crash.

An envelope that the journal holds as sealed but not as queued is sent again until it is
noted as queued. The queue drops repetitions, and the executor's inbox is the authority,
so sending twice is safe and forgetting is impossible. A decision that was sealed anew has
a number behind its id, or the queue would take its new envelope for the old one.

A note may wait for the journal's next append, which then carries it with the same sync. Until
then the queue holds the message durably, and the journal says the same as after a crash.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime

from home.clock import Clock
from home.latch import Switch
from ledger.journal import Journal
from ledger.live import LiveLedger
from ledger.queue import OutgoingMessage, QueueSender
from policies.latched import may_go
from tool_servers.orders.trail import Trail
from when_to_invest.breakers import Halt
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import EnvelopeQueued, EnvelopeSealed
from when_to_invest.history import DecisionRecord, DecisionState
from when_to_invest.intents import OrderIntent

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Relays envelopes from one journal to one queue."""

    journal: Journal
    ledger: LiveLedger
    sender: QueueSender
    clock: Clock
    switch: Switch
    _unnoted: dict[str, EnvelopeQueued] = field(default_factory=dict)
    """What the queue took and the journal does not tell yet, by deduplication id."""
    trail: Trail = field(default_factory=Trail)

    def relay(self) -> int:
        """Send every unexpired envelope that waits; return how many the queue took.

        They are noted at once.
        """
        sent = self.send()
        self.note()
        return sent

    def send(self) -> int:
        """Send every unexpired envelope that waits, to be noted; return how many the queue took.

        A queue that does not answer leaves them waiting for the next time, and so does a
        halt: the latch is looked at inside one block with the sending.
        """
        with self.switch.writing() as halts:
            return self._sent_under(halts)

    def _sent_under(self, halts: Sequence[Halt]) -> int:
        now = self.clock.now()
        waiting = {
            _deduplication_id(record): record
            for record in self._waiting()
            if _envelope(record).content.expires_at > now and self._may_go(record, halts)
        }
        taken = self._send_traced(waiting) if waiting else {}
        for name, message_id in taken.items():
            self._unnoted[name] = _queued(waiting[name], message_id, at=now)
        return len(taken)

    def _send_traced(self, waiting: Mapping[str, DecisionRecord]) -> dict[str, str]:
        """Send, each with the trace context of a span of its own that lasts until the queue answers."""
        with ExitStack() as spans:
            steps = (
                (record, spans.enter_context(self.trail.step("queue.send", record.decision_id)))
                for record in waiting.values()
            )
            return self._send([_message(record, traceparent=own) for record, own in steps])

    def note(self) -> None:
        """Record what the queue took, all of it together.

        A crash before it sends them again, which the queue's dedup takes.
        """
        notes = self.unnoted()
        if notes:
            self.journal.append(notes)
            self.noted(notes)
            self.ledger.refresh()

    def unnoted(self) -> list[EnvelopeQueued]:
        """Return what the next append is to tell; what a newer seal overtook is nobody's news."""
        for name, note in [*self._unnoted.items()]:
            if _deduplication_id(self.ledger.decisions[note.decision_id]) != name:
                del self._unnoted[name]
        return [*self._unnoted.values()]

    def noted(self, notes: Sequence[EnvelopeQueued]) -> None:
        """Forget what the journal tells now."""
        told = {note.decision_id for note in notes}
        for name, note in [*self._unnoted.items()]:
            if note.decision_id in told:
                del self._unnoted[name]

    def as_told(self, record: DecisionRecord) -> DecisionRecord:
        """Return a decision as it is once the journal tells what the queue took of it."""
        note = self._note_of(record)
        if note is None:
            return record
        told = replace(record, events=[*record.events])
        told.apply(note)
        return told

    def _note_of(self, record: DecisionRecord) -> EnvelopeQueued | None:
        return self._unnoted.get(_deduplication_id(record))

    def _may_go(self, record: DecisionRecord, halts: Sequence[Halt]) -> bool:
        return isinstance(record.intent, OrderIntent) and may_go(record.intent, self.ledger.book, halts)

    def waiting(self) -> tuple[Envelope, ...]:
        """Return the envelopes that were sealed and not noted as queued, oldest first."""
        return tuple(_envelope(record) for record in self._waiting())

    def _waiting(self) -> list[DecisionRecord]:
        """Look among the reservations alone: every sealed order has one, and they are few."""
        sealed = (self.ledger.decisions[name] for name in self.ledger.book.reservations)
        return [
            record
            for record in sealed
            if record.state is DecisionState.SEALED and self._note_of(record) is None
        ]

    def _send(self, messages: Sequence[OutgoingMessage]) -> dict[str, str]:
        """Return the message ids of what the queue took, by deduplication id."""
        try:
            answers = self.sender.send_batch(messages)
        except Fault as fault:
            answers = (fault,) * len(messages)
        taken = {}
        for message, answer in zip(messages, answers, strict=True):
            if isinstance(answer, Fault):
                _log.warning("%s stays in the outbox: %s", message.deduplication_id, answer.code.value)
            else:
                taken[message.deduplication_id] = answer
        return taken


def _queued(record: DecisionRecord, message_id: str, *, at: datetime) -> EnvelopeQueued:
    return EnvelopeQueued(
        at=at, mode=record.intent.mode, decision_id=record.decision_id, message_id=message_id
    )


def _envelope(record: DecisionRecord) -> Envelope:
    if record.envelope is None:
        raise Fault(
            ErrorCode.ILLEGAL_TRANSITION,
            f"{record.decision_id} is sealed without an envelope",
            fix="verify the journal",
        )
    return record.envelope


def _message(record: DecisionRecord, *, traceparent: str) -> OutgoingMessage:
    envelope = _envelope(record)
    return OutgoingMessage(
        body=envelope.canonical().decode(),
        group=envelope.content.message_group,
        deduplication_id=_deduplication_id(record),
        traceparent=traceparent,
    )


def _deduplication_id(record: DecisionRecord) -> str:
    times = sum(isinstance(event, EnvelopeSealed) for event in record.events)
    return record.decision_id if times <= 1 else f"{record.decision_id}.{times}"
