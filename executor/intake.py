"""Gives each message of the queue exactly one consequence.

Stage: queue → executor. In order: is it the envelope the journal knows (`inspection`)? was
it dealt with already (the decision's record is the inbox)? do seal, expiry and approvals
hold, and may it still happen, on the head that is appended to (`sending`)?

What becomes of the message:
- dealt with, now or before: deleted, after the journal says so;
- refused on its merits (expired, limits, approvals): `EnvelopeRejected`, then deleted,
  because the journal holds all of it;
- proving nothing (unreadable, forged, of no known decision): noted once as
  `MessageRefused` and given back, so that the queue sets it aside as a dead letter for a
  person. A decision it names that still waits for its envelope is rejected with it: after
  tampering nothing of it may trade. A decision that was already received is not touched;
- outcome at the venue unknown: given back; at the next delivery recovery resolves it first, and
  nothing else of its group goes out before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from executor.brake import Brake
from executor.dead_letters import DeadLetterWatch
from executor.diary import Diary
from executor.doors import Doors
from executor.heartbeat import kept
from executor.inspection import Forged, Genuine, Superseded, body_hash, inspect
from executor.log import Log
from executor.probe import Point, Probe
from executor.receiving import Receiving
from executor.recovery import Recovery, group_of
from executor.sending import Dispatcher, Errand, is_awaiting_order, is_begun
from executor.telemetry.port import NoTelemetry, Telemetry
from ledger.queue import ReceivedMessage
from when_to_invest import events as ev
from when_to_invest.envelopes import EnvelopeContent
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord, DecisionState
from when_to_invest.intents import OrderIntent

_WAITING = frozenset({DecisionState.SEALED, DecisionState.QUEUED})


class Intake:
    """Handles one received message at a time."""

    def __init__(
        self,
        *,
        diary: Diary,
        queue: Receiving,
        dispatcher: Dispatcher,
        watch: DeadLetterWatch,
        recovery: Recovery,
        doors: Doors,
        brake: Brake,
        probe: Probe,
        log: Log,
        visibility_s: int,
        venue_name: str,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or NoTelemetry()
        self._brake = brake
        self._diary = diary
        self._watch = watch
        self._recovery = recovery
        self._doors = doors
        self._queue = queue
        self._dispatcher = dispatcher
        self._probe = probe
        self._log = log
        self._visibility_s = visibility_s
        self._venue_name = venue_name

    async def handle(self, message: ReceivedMessage) -> None:
        """Give `message` its consequence, then delete it or give it back.

        Raises:
            Fault: from the journal or the queue, except that the message was lost to
                another delivery, which the journal makes harmless.
        """
        with self._telemetry.span("executor.handle", parent=message.traceparent):
            async with kept(self._queue, message.receipt, visibility_s=self._visibility_s, log=self._log):
                is_done = await self._consider(message)
            if not is_done:
                await self._watch.before_giving_back(message)
                await self.give_back(message)
                return
            self._probe.reached(Point.BEFORE_DELETE)
            await self._delete(message)

    async def _consider(self, message: ReceivedMessage) -> bool:
        """Act on the message; return whether the journal holds all that it can still mean."""
        found = inspect(message, self._diary.decisions)
        if not isinstance(found, Genuine) or not is_awaiting_order(found.record):
            await self._diary.refresh()
            found = inspect(message, self._diary.decisions)
        if isinstance(found, Forged):
            await self._note_forged(message, found)
            return False
        if isinstance(found, Superseded):
            return True
        async with self._doors.of(group := group_of(found.record)):
            return await self._act_on(message, found, group=group)

    async def _act_on(self, message: ReceivedMessage, found: Genuine, *, group: str) -> bool:
        if not self._recovery.is_clear(group) and not is_begun(found.record):
            # INVARIANT: nothing of a group goes out while the fate of an order of it is unknown.
            await self._recovery.resolve_group(group)
            if not self._recovery.is_clear(group):
                return False
            await self._diary.refresh()
            if not isinstance(inspect(message, self._diary.decisions), Genuine):
                return False
        if is_awaiting_order(self._diary.decisions[found.record.decision_id]):
            await self._attempt(message, found)
        record = self._diary.decisions[found.record.decision_id]
        return is_begun(record) or not (is_awaiting_order(record) or _is_in_doubt(record))

    async def reject_ended(self) -> None:
        """Reject every sealed decision that expired or was stopped before an order came of it."""
        await self._diary.refresh()
        halts = self._brake.switch.read()
        for record in self._diary.open_decisions():
            stopped = self._brake.objection(record.intent, halts) if is_awaiting_order(record) else None
            if stopped is not None:
                await self._reject(
                    record.decision_id, code=stopped, message="trading was stopped before it was sent"
                )
            elif _has_expired(record, self._diary.now()):
                await self._reject(
                    record.decision_id,
                    code="envelope_expired",
                    message="its envelope expired before it could be sent",
                )

    async def _attempt(self, message: ReceivedMessage, found: Genuine) -> None:
        try:
            intent = _order_of(found.envelope.content, venue=self._venue_name)
        except Fault as fault:
            await self._reject(found.record.decision_id, code=fault.code.value, message=fault.message)
            return
        self._probe.reached(Point.RECEIVED)
        await self._dispatcher.dispatch(
            Errand(envelope=found.envelope, intent=intent, message_id=message.message_id)
        )

    async def _note_forged(self, message: ReceivedMessage, forged: Forged) -> None:
        def decide() -> Sequence[ev.Event]:
            if message.message_id in self._diary.refused_messages:
                return ()
            noted = _noted(self._diary, message, forged)
            record = self._diary.decisions.get(forged.claimed or "")
            if record is None or record.state not in _WAITING or record.orders:
                return (noted,)
            return (noted, _rejection(self._diary, record.decision_id, code=forged.code, message=forged.why))

        about = (message.message_id, forged.claimed or message.message_id)
        if await self._diary.write(decide, about=about):
            self._log.say(
                "message_refused", at=self._diary.now(), message_id=message.message_id, code=forged.code
            )

    async def _reject(self, decision_id: str, *, code: str, message: str) -> None:
        def decide() -> Sequence[ev.Event]:
            if not is_awaiting_order(self._diary.decisions[decision_id]):
                return ()
            return (_rejection(self._diary, decision_id, code=code, message=message),)

        if await self._diary.write(decide, about=(decision_id,)):
            self._log.say("envelope_rejected", at=self._diary.now(), decision_id=decision_id, code=code)

    async def _delete(self, message: ReceivedMessage) -> None:
        try:
            await self._queue.delete(message.receipt)
        except Fault as fault:
            self._pass_if_lost(fault, message)

    async def give_back(self, message: ReceivedMessage) -> None:
        """Let the queue hand `message` out again at once, unless it does already."""
        try:
            await self._queue.extend(message.receipt, visibility_s=0)
        except Fault as fault:
            self._pass_if_lost(fault, message)

    def _pass_if_lost(self, fault: Fault, message: ReceivedMessage) -> None:
        if fault.code is not ErrorCode.RECEIPT_EXPIRED:
            raise fault
        self._log.say("message_lost", at=self._diary.now(), message_id=message.message_id)


def _noted(diary: Diary, message: ReceivedMessage, forged: Forged) -> ev.MessageRefused:
    return ev.MessageRefused(
        at=diary.now(),
        mode=diary.mode,
        message_id=message.message_id,
        claimed_decision_id=forged.claimed,
        body_hash=body_hash(message),
        code=forged.code,
        message=forged.why[:500],
    )


def _rejection(diary: Diary, decision_id: str, *, code: str, message: str) -> ev.EnvelopeRejected:
    return ev.EnvelopeRejected(
        at=diary.now(), mode=diary.mode, decision_id=decision_id, code=code, message=message
    )


def _has_expired(record: DecisionRecord, now: datetime) -> bool:
    return (
        record.envelope is not None
        and is_awaiting_order(record)
        and now >= record.envelope.content.expires_at
    )


def _is_in_doubt(record: DecisionRecord) -> bool:
    return record.state in {DecisionState.SENDING, DecisionState.UNKNOWN}


def _order_of(content: EnvelopeContent, *, venue: str) -> OrderIntent:
    intent = content.intent
    if not isinstance(intent, OrderIntent):
        raise Fault(
            ErrorCode.BAD_ARGUMENT, "this executor sends orders, not transfers", fix="propose an order"
        )
    if intent.venue != venue:
        raise Fault(
            ErrorCode.MODE_MISMATCH,
            f"this executor has no venue {intent.venue!r}",
            fix=f"propose it for {venue}",
        )
    return intent
