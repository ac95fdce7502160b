"""What was sealed in the last 24 hours, order by order: what became of it, who had signed.

A fold of events beside the account book, for the rules that look at many orders together:
signatures for the sum of split orders, repeated executions, the last print at a venue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple

from when_to_invest import events as ev
from when_to_invest.holdings import ZERO
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.marks import VenueReported
from when_to_invest.orders import OrderStep
from when_to_invest.tallies import Tallies
from when_to_invest.venue_status import TradingStatus
from when_to_invest.workings import ExecutionFinished

WINDOW: Final = timedelta(hours=24)
"""How far back the rules look."""
_ENDS: Final = frozenset({OrderStep.CANCELLED, OrderStep.EXPIRED, OrderStep.REJECTED})


class SealedOrder(NamedTuple):
    """One sealed order; `quantity_open` in base units may still trade, `filled_usd` has traded."""

    at: datetime
    decision_id: str
    account: str
    venue: str
    instrument: str
    side: Side
    limit_price_usd: Decimal
    quantity_open: Decimal
    signatures: int = 0
    """How many people had signed it."""
    filled_usd: Decimal = Decimal(0)
    sent_at: datetime | None = None
    is_rejected: bool = False
    is_planned: bool = False
    """Whether it goes on after an order of it has ended: it is worked by a plan."""

    @property
    def worth_usd(self) -> Decimal:
        """Return what has traded of it, and what still may, at its limit."""
        return self.filled_usd + self.quantity_open * self.limit_price_usd

    def after(self, *, quantity_open: Decimal, filled_usd: Decimal, sent_at: datetime | None) -> SealedOrder:
        """Return it with what has become of it; half of what `_replace` takes."""
        at, decision_id, account, venue, instrument, side, limit_usd, _, signatures, *_ = self
        told = (at, decision_id, account, venue, instrument, side, limit_usd)
        rest = (quantity_open, signatures, filled_usd, sent_at, self.is_rejected, self.is_planned)
        return SealedOrder(*told, *rest)


class LastPrint(NamedTuple):
    """The newest trade that a venue reported to us in an instrument."""

    price_usd: Decimal
    at: datetime


@dataclass(slots=True)
class Recent:
    """Mutable fold; `apply` events in journal order."""

    sealed: dict[str, SealedOrder] = field(default_factory=dict)
    """By decision, oldest seal first; what was sealed anew stands where its newest seal does."""
    prints: dict[tuple[str, str], LastPrint] = field(default_factory=dict)
    """By venue and instrument."""
    venue_statuses: dict[str, TradingStatus] = field(default_factory=dict)
    """What each venue last said of itself."""
    tallies: Tallies = field(default_factory=Tallies, compare=False, repr=False)
    """What is counted of the last 24 hours, here and in the account book; no state of its own."""

    def apply(self, event: ev.Event) -> None:
        """Advance by one event; those it does not look at change nothing."""
        advance = self.ADVANCES.get(type(event))
        if advance is not None:
            advance(self, event)

    def before(self, decision_id: str) -> Iterator[SealedOrder]:
        """Yield what was sealed before the newest seal of `decision_id`; all when it has none."""
        for owner, item in self.sealed.items():
            if owner == decision_id:
                return
            yield item

    def besides(self, decision_id: str) -> Iterator[SealedOrder]:
        """Yield everything that was sealed, but for `decision_id` itself."""
        return (item for owner, item in self.sealed.items() if owner != decision_id)

    def _seal(self, event: ev.EnvelopeSealed) -> None:
        self._forget_before(event.at - WINDOW)
        content = event.envelope.content
        intent = content.intent
        if not isinstance(intent, OrderIntent):
            return
        # INVARIANT: the order of seals; one sealed anew is a part of all that was sealed meanwhile.
        self.sealed.pop(event.decision_id, None)
        people = {approval.approver for approval in content.approvals} - {intent.proposer}
        whose = (event.at, event.decision_id, intent.account, intent.venue, intent.instrument, intent.side)
        become = (ZERO, None, False, intent.execution is not None)
        # The same as calling `SealedOrder` with names, which takes four times as long.
        self.sealed[event.decision_id] = SealedOrder(
            *whose, intent.limit_price_usd, intent.quantity, len(people), *become
        )

    def _reject(self, event: ev.EnvelopeRejected) -> None:
        self._end(event.decision_id, is_rejected=True)

    def _move(self, event: ev.OrderMoved) -> None:
        if event.step in _ENDS and not self._goes_on(event.decision_id):
            self._end(event.decision_id)

    def _finish(self, event: ExecutionFinished) -> None:
        self._end(event.decision_id)

    def _goes_on(self, decision_id: str) -> bool:
        item = self.sealed.get(decision_id)
        return item is not None and item.is_planned

    def _hear(self, event: VenueReported) -> None:
        self.venue_statuses[event.venue] = event.status

    def _send(self, event: ev.SendIntended) -> None:
        item = self.sealed.get(event.decision_id)
        if item is not None and item.sent_at is None:
            self.sealed[event.decision_id] = item.after(
                quantity_open=item.quantity_open, filled_usd=item.filled_usd, sent_at=event.at
            )

    def _fill(self, event: ev.OrderFilled) -> None:
        self.prints[event.venue, event.instrument] = LastPrint(event.price_usd, event.at)
        item = self.sealed.get(event.decision_id)
        if item is None:
            return
        is_over = event.is_last and not item.is_planned
        left = ZERO if is_over else max(item.quantity_open - event.quantity, ZERO)
        filled_usd = item.filled_usd + event.quantity * event.price_usd
        self.sealed[event.decision_id] = item.after(
            quantity_open=left, filled_usd=filled_usd, sent_at=item.sent_at
        )

    def _settle(self, event: ev.OrderSettled) -> None:
        item = self.sealed.get(event.decision_id)
        if item is not None:
            left = max(item.quantity_open - event.quantity, ZERO) if item.is_planned else ZERO
            filled_usd = item.filled_usd + event.quantity * (event.price_usd or ZERO)
            self.sealed[event.decision_id] = item._replace(filled_usd=filled_usd, quantity_open=left)

    def _end(self, decision_id: str, *, is_rejected: bool = False) -> None:
        item = self.sealed.get(decision_id)
        if item is not None:
            is_rejected = item.is_rejected or is_rejected
            self.sealed[decision_id] = item._replace(quantity_open=Decimal(0), is_rejected=is_rejected)

    def _forget_before(self, horizon: datetime) -> None:
        while self.sealed:
            oldest = next(iter(self.sealed))
            if self.sealed[oldest].at > horizon:
                break
            del self.sealed[oldest]

    ADVANCES: ClassVar[dict[type[Any], Callable[[Any, Any], None]]] = {
        ev.EnvelopeSealed: _seal,
        ev.EnvelopeRejected: _reject,
        ev.SendIntended: _send,
        ev.OrderMoved: _move,
        ev.OrderFilled: _fill,
        ev.OrderSettled: _settle,
        VenueReported: _hear,
        ExecutionFinished: _finish,
    }
    """By what it looks at."""
