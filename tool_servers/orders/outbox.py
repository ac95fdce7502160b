"""Sends what was sealed: the journal first, the queue second, and again after a crash.

An envelope that the journal holds as sealed but not as queued is sent again until it is
noted as queued. The queue drops repetitions, and the executor's inbox is the authority,
so sending twice is safe and forgetting is impossible.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from home.clock import Clock
from ledger.journal import Journal
from ledger.live import LiveLedger
from ledger.queue import OutgoingMessage, QueueSender
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import Fault
from when_to_invest.events import EnvelopeQueued
from when_to_invest.history import DecisionState

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Relays envelopes from one journal to one queue."""

    journal: Journal
    ledger: LiveLedger
    sender: QueueSender
    clock: Clock

    def relay(self) -> int:
        """Send every unexpired envelope that waits; return how many the queue took.

        A queue that does not answer leaves them waiting for the next relay.
        """
        now = self.clock.now()
        waiting = [envelope for envelope in self.waiting() if envelope.content.expires_at > now]
        sent = 0
        for envelope in waiting:
            try:
                self._send(envelope, now=now)
            except Fault as fault:
                _log.warning("%s stays in the outbox: %s", envelope.content.decision_id, fault.code.value)
                break
            sent += 1
        if sent:
            self.ledger.refresh()
        return sent

    def waiting(self) -> tuple[Envelope, ...]:
        """Return the envelopes that were sealed and not noted as queued, oldest first."""
        return tuple(
            record.envelope
            for record in self.ledger.decisions.values()
            if record.state is DecisionState.SEALED and record.envelope is not None
        )

    def _send(self, envelope: Envelope, *, now: datetime) -> None:
        content = envelope.content
        message_id = self.sender.send(
            OutgoingMessage(
                body=envelope.canonical().decode(),
                group=content.message_group,
                deduplication_id=content.decision_id,
            )
        )
        self.journal.append(
            [
                EnvelopeQueued(
                    at=now, mode=content.mode, decision_id=content.decision_id, message_id=message_id
                )
            ]
        )
