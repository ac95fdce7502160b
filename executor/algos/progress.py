"""How far a plan has come, made from the journal alone. Pure.

Stage: fold → algorithm. Whoever makes it again after a crash gets the same, and so the same
next child.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from when_to_invest import events as ev
from when_to_invest.execution import Ending
from when_to_invest.history import DecisionRecord, OrderRecord
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.orders import TERMINAL, UNRESOLVED, OrderState
from when_to_invest.workings import ExecutionPlanned, Wish

IN_DOUBT: Final = UNRESOLVED | {OrderState.QUARANTINED}
"""States in which nobody knows what the venue did; nothing else is sent before that is known."""
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the venue took when the plan began; quantities in base units."""

    lot_size: Decimal
    tick_size_usd: Decimal
    min_quantity: Decimal = _ZERO
    min_notional_usd: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Child:
    """One order of a plan; quantities in base units."""

    client_order_id: str
    slice_index: int
    attempt: int
    quantity: Decimal
    filled_quantity: Decimal
    limit_price_usd: Decimal
    state: OrderState
    sent_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether it may still trade."""
        return self.state not in TERMINAL

    @property
    def exposure(self) -> Decimal:
        """Return what it traded, and may still trade, at most."""
        return max(self.quantity, self.filled_quantity) if self.is_open else self.filled_quantity


@dataclass(frozen=True, slots=True)
class Progress:
    """One plan between its beginning and its end.

    `quantity` and `limit_price_usd` are what is wanted now, amendments included.
    `arrival_usd`: the middle of the quote at which it began. `children`: oldest first.
    """

    instrument: str
    side: Side
    quantity: Decimal
    limit_price_usd: Decimal
    terms: Terms
    arrival_usd: Decimal
    starts_at: datetime
    ends_at: datetime
    children: tuple[Child, ...] = ()
    is_cancel_requested: bool = False
    ending: Ending | None = None

    @property
    def filled_quantity(self) -> Decimal:
        """Return what all children traded."""
        return sum((child.filled_quantity for child in self.children), _ZERO)

    @property
    def unfilled_quantity(self) -> Decimal:
        """Return what did not trade of what is wanted; never below zero."""
        return max(self.quantity - self.filled_quantity, _ZERO)

    @property
    def left(self) -> Decimal:
        """Return what may still be sent: below zero when more is out than is wanted by now.

        # INVARIANT: filled, open, unknown and this add up to what is wanted.
        """
        return self.quantity - sum((child.exposure for child in self.children), _ZERO)


def progress_of(record: DecisionRecord) -> Progress | None:
    """Return how far a decision's plan has come; none when it has no plan, or it has not begun."""
    working, intent = record.working, record.intent
    if working is None or working.planned is None or not isinstance(intent, OrderIntent):
        return None
    settled = _settled(record)
    children = (_child(order, settled=settled.get(name, _ZERO)) for name, order in record.orders.items())
    return replace(
        begun(intent, working.planned, wish=working.wish),
        children=tuple(children),
        is_cancel_requested=record.is_cancel_requested,
        ending=working.finished.ending if working.finished else None,
    )


def begun(intent: OrderIntent, planned: ExecutionPlanned, *, wish: Wish) -> Progress:
    """Return how far an order's plan has come when it begins: nothing was sent of what is wanted."""
    return Progress(
        instrument=intent.instrument,
        side=wish.side,
        quantity=wish.quantity,
        limit_price_usd=wish.limit_price_usd,
        terms=Terms(planned.lot_size, planned.tick_size_usd, planned.min_quantity, planned.min_notional_usd),
        arrival_usd=planned.arrival_usd,
        starts_at=planned.starts_at,
        ends_at=planned.ends_at,
    )


def _child(order: OrderRecord, *, settled: Decimal) -> Child:
    sent = order.sent
    return Child(
        client_order_id=sent.client_order_id,
        slice_index=sent.slice_index,
        attempt=sent.attempt,
        quantity=sent.quantity,
        filled_quantity=order.filled_quantity + settled,
        limit_price_usd=sent.limit_price_usd,
        state=order.state,
        sent_at=sent.at,
    )


def _settled(record: DecisionRecord) -> dict[str, Decimal]:
    """Return what people said was executed of each order besides its fills."""
    if not record.settled_quantity:
        return {}
    told = [event for event in record.events if isinstance(event, ev.OrderSettled)]
    return {event.client_order_id: event.quantity for event in told}
