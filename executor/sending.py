"""Judges again, writes the intention down, sends once, writes down what came of it.

Stage: executor → venue. The verdict, the inbox row and the intention to send are one
append, decided on the journal's newest state and synced before the venue hears a word.

# INVARIANT: what leaves for a decision (filled, open, unknown, new) never exceeds what its
# envelope authorised; an order of unknown outcome is never sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, assert_never

from executor.brake import Brake
from executor.diary import Diary
from executor.identity import client_order_id
from executor.judgement import Judgement, Opinion
from executor.log import Log
from executor.probe import Point, Probe
from executor.telemetry.port import NoTelemetry, Telemetry
from executor.venues.port import Accepted, Declined, NewOrder, Sending, Unknown, Unsent, Venue, send
from when_to_invest import events as ev
from when_to_invest.envelopes import Envelope, EnvelopeContent
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import FINAL_STATES, DecisionRecord, OrderRecord
from when_to_invest.intents import OrderIntent
from when_to_invest.orders import OrderState, OrderStep
from when_to_invest.verdicts import Approved

REQUEST_VALIDITY: Final = timedelta(seconds=30)
"""How long after the intention to send the venue may still take the request."""
CLOCK_FAULTS: Final = frozenset({ErrorCode.CLOCK_BACK, ErrorCode.CLOCK_AHEAD})
"""They say nothing of an envelope: once the clock is right it is looked at again."""
_GONE: Final = frozenset({OrderState.ABSENT})


def unsent_quantity(record: DecisionRecord) -> Decimal:
    """Return how much of a decision was neither executed nor is, or may be, at the venue.

    In base units; zero or less means that nothing may be sent.
    """
    exposed = sum((_exposure(order) for order in record.orders.values()), Decimal(0))
    return record.authorised_quantity - exposed


def _exposure(order: OrderRecord) -> Decimal:
    return order.filled_quantity if order.state in _GONE else order.sent.quantity


@dataclass(frozen=True, slots=True)
class Errand:
    """One envelope, the journal's own, that is to become an order once it is verified."""

    envelope: Envelope
    intent: OrderIntent
    message_id: str

    @property
    def content(self) -> EnvelopeContent:
        """Return what is sealed."""
        return self.envelope.content


class Dispatcher:
    """Turns an errand into at most one order at the venue."""

    def __init__(
        self,
        *,
        diary: Diary,
        judgement: Judgement,
        venue: Venue,
        brake: Brake,
        probe: Probe,
        log: Log,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or NoTelemetry()
        self._diary = diary
        self._brake = brake
        self._judgement = judgement
        self._venue = venue
        self._probe = probe
        self._log = log
        self.in_flight: set[str] = set()

    async def dispatch(self, errand: Errand) -> None:
        """Judge, intend, send and record.

        Whatever happens is in the journal when this returns, or before the process ends.

        Raises:
            Fault: from the journal alone; the venue's failures are classified and recorded.
        """
        decision_id = errand.content.decision_id
        if decision_id in self.in_flight:
            return
        # INVARIANT: nobody looks for an order, and proves it absent, before its answer is recorded.
        self.in_flight.add(decision_id)
        try:
            await self._dispatch(errand)
        finally:
            self.in_flight.discard(decision_id)

    async def _dispatch(self, errand: Errand) -> None:
        decision_id = errand.content.decision_id
        with self._telemetry.span("executor.judge", decision_id=decision_id):
            written = await self._diary.write(lambda: self._decide(errand), about=(decision_id,))
        intended = next((event for event in written if isinstance(event, ev.SendIntended)), None)
        if intended is None:
            return
        self._probe.reached(Point.SEND_INTENDED)
        # The last look before the venue hears of it: has a newer executor taken over?
        await self._diary.refresh()
        with self._telemetry.span("venue.submit", decision_id=decision_id):
            outcome = await self._sent_unless_halted(intended, errand)
        self._probe.reached(Point.SUBMITTED)
        with self._telemetry.span("executor.record", decision_id=decision_id):
            await self._record(intended, outcome)
        self._probe.reached(Point.ACKNOWLEDGED)

    async def _sent_unless_halted(self, intended: ev.SendIntended, errand: Errand) -> Sending:
        """Send inside the latch's block, so that whoever drops it knows when the last write has ended."""
        with self._brake.switch.writing() as halts:
            if not self._brake.may_go(errand.intent, halts):
                return Unsent("trading was halted before it was sent")
            self._probe.reached(Point.CLEARED)
            return await send(self._venue, new_order(intended, errand))

    def _decide(self, errand: Errand) -> Sequence[ev.Event]:
        """Return the verdict with its consequence, or nothing when there is nothing left to do.

        Seal, approvals and limits are looked at here and nowhere before, so all of it holds
        on the very head that the intention to send is appended to.
        """
        self._diary.demand_forward()
        record = self._diary.decisions[errand.content.decision_id]
        if not is_awaiting_order(record) or not _is_newest(errand, record):
            return ()
        if (objection := self._objection(errand, record)) is not None:
            return (objection,)
        opinion = self._judgement.judge(errand.content)
        self._probe.reached(Point.JUDGED)
        if isinstance(opinion.verdict, Approved):
            return (opinion.event, *self._received(errand, record), self._intended(errand, record))
        return (opinion.event, self._refused(errand, opinion))

    def _objection(self, errand: Errand, record: DecisionRecord) -> ev.EnvelopeRejected | None:
        """Return why the envelope may not be acted on, whatever the limits say; none when it may."""
        if record.is_cancel_requested:
            return self._rejected(errand, code="cancel_requested", message="cancelled before it was sent")
        if self._diary.now() >= errand.content.expires_at:
            return self._rejected(errand, code="envelope_expired", message="it expired before it was sent")
        try:
            self._judgement.verify(errand.envelope)
        except Fault as fault:
            if fault.code in CLOCK_FAULTS:
                raise
            return self._rejected(errand, code=fault.code.value, message=fault.message)
        if self._brake.is_from_before(errand.intent, sealed_at=errand.content.sealed_at):
            return self._rejected(errand, code="trading_halted", message="sealed before a halt was lifted")
        return None

    def _received(self, errand: Errand, record: DecisionRecord) -> tuple[ev.Event, ...]:
        if record.is_received:
            return ()
        return (
            ev.EnvelopeReceived(
                at=self._diary.now(),
                mode=self._diary.mode,
                decision_id=record.decision_id,
                message_id=errand.message_id,
            ),
        )

    def _intended(self, errand: Errand, record: DecisionRecord) -> ev.SendIntended:
        intent, attempt = errand.intent, len(record.orders) + 1
        return ev.SendIntended(
            at=self._diary.now(),
            mode=self._diary.mode,
            decision_id=record.decision_id,
            client_order_id=client_order_id(record.decision_id, slice_index=0, attempt=attempt),
            attempt=attempt,
            venue=intent.venue,
            instrument=intent.instrument,
            side=intent.side,
            quantity=unsent_quantity(record),
            limit_price_usd=intent.limit_price_usd,
        )

    def _refused(self, errand: Errand, opinion: Opinion) -> ev.EnvelopeRejected:
        codes = [reason.code for reason in opinion.event.reasons]
        code = codes[0] if codes else opinion.event.outcome.value
        message = f"the executor's own judgement: {opinion.event.outcome.value} ({', '.join(codes)})"
        return self._rejected(errand, code=code, message=message)

    def _rejected(self, errand: Errand, *, code: str, message: str) -> ev.EnvelopeRejected:
        return ev.EnvelopeRejected(
            at=self._diary.now(),
            mode=self._diary.mode,
            decision_id=errand.content.decision_id,
            code=code,
            message=message,
        )

    async def _record(self, intended: ev.SendIntended, outcome: Sending) -> None:
        steps = _steps_of(outcome)

        def decide() -> Sequence[ev.Event]:
            record = self._diary.decisions[intended.decision_id]
            if record.orders[intended.client_order_id].state is not OrderState.SEND_INTENDED:
                return ()
            return [
                moved(self._diary, intended, step=step, why=steps.why, venue_order_id=steps.venue_order_id)
                for step in steps.steps
            ]

        await self._diary.write(decide, about=(intended.decision_id,))
        self._log.say(
            "order_sent",
            at=self._diary.now(),
            decision_id=intended.decision_id,
            client_order_id=intended.client_order_id,
            outcome=type(outcome).__name__.lower(),
            why=steps.why,
        )


@dataclass(frozen=True, slots=True)
class _Steps:
    steps: tuple[OrderStep, ...]
    why: str = ""
    venue_order_id: str = ""


def _steps_of(outcome: Sending) -> _Steps:
    match outcome:
        case Accepted():
            return _Steps((OrderStep.ACKNOWLEDGED,), venue_order_id=outcome.order.venue_order_id)
        case Declined():
            return _Steps((OrderStep.REJECTED,), outcome.why)
        case Unsent():
            return _Steps((OrderStep.LOST_SIGHT, OrderStep.PROVEN_ABSENT), f"never sent: {outcome.why}")
        case Unknown():
            return _Steps((OrderStep.LOST_SIGHT,), outcome.why)
        case _:
            assert_never(outcome)


def is_awaiting_order(record: DecisionRecord) -> bool:
    """Whether a sealed decision may still get an order: not final, and nothing may be out there."""
    return (
        record.envelope is not None
        and record.state not in FINAL_STATES
        and unsent_quantity(record) == record.authorised_quantity
    )


def _is_newest(errand: Errand, record: DecisionRecord) -> bool:
    """Whether the envelope is still the decision's own: it may have been sealed anew meanwhile."""
    return record.envelope is not None and record.envelope.digest() == errand.envelope.digest()


def new_order(intended: ev.SendIntended, errand: Errand) -> NewOrder:
    """Return what the venue hears of an intention; it may not arrive after the envelope's end."""
    return NewOrder(
        client_order_id=intended.client_order_id,
        instrument=intended.instrument,
        side=intended.side,
        quantity=intended.quantity,
        limit_price_usd=intended.limit_price_usd,
        time_in_force=errand.intent.time_in_force,
        valid_until=min(intended.at + REQUEST_VALIDITY, errand.content.expires_at),
    )


def moved(
    diary: Diary, order: ev.SendIntended, *, step: OrderStep, why: str = "", venue_order_id: str = ""
) -> ev.OrderMoved:
    """Return the event that an order took `step` now."""
    return ev.OrderMoved(
        at=diary.now(),
        mode=diary.mode,
        decision_id=order.decision_id,
        client_order_id=order.client_order_id,
        step=step,
        venue_order_id=venue_order_id,
        why=why[:500],
    )
