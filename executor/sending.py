"""Judges again, writes the intention down, sends once, writes down what came of it.

Stage: executor → venue. The verdict, the inbox row and the intention to send are one
append, decided on the journal's newest state and synced before the venue hears a word.

# INVARIANT: what leaves for a decision (filled, open, unknown, new) never exceeds what its
# envelope authorised; an order of unknown outcome is never sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from executor.algos.moves import Market as Seen
from executor.brake import Brake
from executor.children import CLOCK_FAULTS, REQUEST_VALIDITY, Children, Turn
from executor.diary import Diary
from executor.identity import client_order_id
from executor.judgement import Judgement, Opinion
from executor.patience import Patience
from executor.probe import Point, Probe
from executor.quoting import market_for
from executor.submission import Submission, moved
from executor.telemetry.port import NoTelemetry, Telemetry
from executor.venues.port import NewOrder, Venue
from when_to_invest import events as ev
from when_to_invest.envelopes import Envelope, EnvelopeContent
from when_to_invest.errors import Fault
from when_to_invest.history import FINAL_STATES, DecisionRecord, OrderRecord
from when_to_invest.intents import OrderIntent
from when_to_invest.orders import OrderState
from when_to_invest.verdicts import Approved

LOOKS: Final = 3
"""How often a venue is asked for the quote at which a plan begins."""
PAUSE_S: Final = 1.0
_NO_QUOTE: Final = "the venue showed no fresh price that its plan could begin at"
__all__ = [
    "CLOCK_FAULTS",
    "REQUEST_VALIDITY",
    "Dispatcher",
    "Errand",
    "is_awaiting_order",
    "is_begun",
    "moved",
    "new_order",
    "unsent_quantity",
]
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
        children: Children,
        submission: Submission,
        patience: Patience,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or NoTelemetry()
        self._diary = diary
        self._brake = brake
        self._judgement = judgement
        self._venue = venue
        self._probe = probe
        self._children = children
        self._submission = submission
        self._patience = patience

    async def dispatch(self, errand: Errand) -> None:
        """Judge, intend, send and record.

        Whatever happens is in the journal when this returns, or before the process ends.

        Raises:
            Fault: from the journal alone; the venue's failures are classified and recorded.
        """
        with self._submission.flight_of(errand.content.decision_id) as is_first:
            if is_first:
                await self._dispatch(errand)

    async def _dispatch(self, errand: Errand) -> None:
        decision_id, seen, turn = errand.content.decision_id, await self._seen(errand), Turn()
        with self._telemetry.span("executor.judge", decision_id=decision_id):
            written = await self._diary.write(lambda: self._decide(errand, seen, turn), about=(decision_id,))
        intended = next((event for event in written if isinstance(event, ev.SendIntended)), None)
        if intended is None:
            return
        order = turn.order or new_order(intended, errand)
        await self._submission.carry(intended, order, intent=errand.intent)

    async def _seen(self, errand: Errand) -> Seen:
        """Look at the market for an order with a plan: a few times, because its arrival needs a quote."""
        seen = Seen(None)
        for look in range(LOOKS if errand.intent.execution is not None else 0):
            if look:
                await self._patience.pause(PAUSE_S)
            seen = await market_for(errand.intent, venue=self._venue, since=None)
            if seen.quote is not None:
                break
        return seen

    def _decide(self, errand: Errand, seen: Seen, turn: Turn) -> Sequence[ev.Event]:
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
        if not isinstance(opinion.verdict, Approved):
            return (opinion.event, self._refused(errand, opinion))
        if errand.intent.execution is None:
            leaving: Sequence[ev.Event] = (_intention(errand, record, diary=self._diary, venue=self._venue),)
        elif not (leaving := self._children.begin(record, seen, turn=turn)):
            return (opinion.event, self._rejected(errand, code="no_quote", message=_NO_QUOTE))
        return (opinion.event, *self._received(errand, record), *leaving)

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


def _intention(errand: Errand, record: DecisionRecord, *, diary: Diary, venue: Venue) -> ev.SendIntended:
    intent, attempt, shape = errand.intent, len(record.orders) + 1, venue.profile.client_id_shape
    return ev.SendIntended(
        at=diary.now(),
        mode=diary.mode,
        decision_id=record.decision_id,
        client_order_id=client_order_id(record.decision_id, slice_index=0, attempt=attempt, shape=shape),
        attempt=attempt,
        venue=intent.venue,
        instrument=intent.instrument,
        side=intent.side,
        quantity=unsent_quantity(record),
        limit_price_usd=intent.limit_price_usd,
    )


def is_awaiting_order(record: DecisionRecord) -> bool:
    """Whether a sealed decision may still get its order: not final, nothing out there, no plan begun."""
    return (
        record.envelope is not None
        and not is_begun(record)
        and record.state not in FINAL_STATES
        and unsent_quantity(record) == record.authorised_quantity
    )


def is_begun(record: DecisionRecord) -> bool:
    """Whether a plan works it: from then on the journal alone carries it on, without its message."""
    return record.working is not None and record.working.planned is not None


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
