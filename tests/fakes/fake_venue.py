"""A venue in memory that does what it is told, also badly.

Like a real venue it keeps its orders when our process dies: tests keep the object and
build a new executor around it. `plan` scripts how the next submits go wrong; `trade`,
`expire` and `is_deaf` are the market and the network.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from executor.venues.port import (
    NewOrder,
    OrderDeclinedError,
    OrderRef,
    OrderUnsentError,
    OutcomeUnknownError,
    Trade,
    VenueOrder,
    VenueProfile,
    VenueStatus,
)
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.quotes import Quote
from when_to_invest.values import Mode
from when_to_invest.venue_status import TradingStatus


class Mishap(StrEnum):
    """How a submit can go wrong."""

    DECLINED = "declined"
    UNSENT = "unsent"
    LOST_BEFORE = "the request is lost on its way"
    LOST_AFTER = "accepted, but the answer is lost"
    FOREIGN_AFTER = "accepted, then an exception nobody has listed"


@dataclass
class FakeVenue:
    """Implements `Venue`."""

    mode: Mode = Mode.REPLAY
    absence_is_authoritative: bool = True
    plan: deque[Mishap] = field(default_factory=deque)
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    requests: dict[str, NewOrder] = field(default_factory=dict)
    executed: dict[str, list[Trade]] = field(default_factory=dict)
    submits: list[str] = field(default_factory=list)
    is_deaf: bool = False
    cash_usd: Decimal = Decimal(100_000)
    quotes: dict[str, Quote] = field(default_factory=dict)
    prints: dict[str, list[tuple[datetime, Decimal]]] = field(default_factory=dict)
    """What the market traded of each instrument: when, and how much."""
    name: str = "paper"
    request_life_s: float = 30.0
    trading_status: TradingStatus = TradingStatus.OPEN

    @property
    def profile(self) -> VenueProfile:
        return VenueProfile(
            self.name, self.mode, self.absence_is_authoritative, request_life_s=self.request_life_s
        )

    async def status(self) -> TradingStatus:
        self._answer()
        return self.trading_status

    async def submit(self, order: NewOrder) -> VenueOrder:
        self.submits.append(order.client_order_id)
        mishap = self.plan.popleft() if self.plan else None
        if mishap is Mishap.DECLINED or order.quantity <= 0:
            raise OrderDeclinedError("told to decline")
        if mishap is Mishap.UNSENT:
            raise OrderUnsentError("told not to send")
        if mishap is Mishap.LOST_BEFORE:
            raise OutcomeUnknownError("told to time out")
        if order.client_order_id in self.orders:
            raise OutcomeUnknownError("duplicate client order id")
        accepted = VenueOrder(
            order.client_order_id,
            f"F{len(self.orders)}",
            VenueStatus.WORKING,
            Decimal(0),
            instrument=order.instrument,
        )
        self.orders[order.client_order_id] = accepted
        self.requests[order.client_order_id] = order
        self.executed[order.client_order_id] = []
        if mishap is Mishap.LOST_AFTER:
            raise OutcomeUnknownError("told to lose the answer")
        if mishap is Mishap.FOREIGN_AFTER:
            raise ZeroDivisionError
        return accepted

    async def find(self, order: OrderRef) -> VenueOrder | None:
        self._answer()
        return self.orders.get(order.client_order_id)

    async def trades(self, order: OrderRef) -> tuple[Trade, ...]:
        self._answer()
        return tuple(self.executed.get(order.client_order_id, ()))

    async def cancel(self, order: OrderRef) -> None:
        self._answer()
        self._end(order.client_order_id, VenueStatus.CANCELLED)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        self._answer()
        return tuple(order for order in self.orders.values() if order.status is VenueStatus.WORKING)

    async def balances(self) -> Mapping[str, Decimal]:
        self._answer()
        held = {"USD": self.cash_usd}
        for name, trades in self.executed.items():
            request = self.requests[name]
            for trade in trades:
                change = request.side.sign * trade.quantity
                held[request.instrument] = held.get(request.instrument, Decimal(0)) + change
                held["USD"] -= change * trade.price_usd + trade.fee_usd
        return held

    async def quote(self, instrument: str) -> Quote | None:
        self._answer()
        return self.quotes.get(instrument)

    async def traded_quantity(self, instrument: str, *, since: datetime) -> Decimal | None:
        self._answer()
        return sum((q for at, q in self.prints.get(instrument, ()) if at > since), Decimal(0))

    async def close(self) -> None:
        """Nothing is held open."""

    def trade(self, client_order_id: str, quantity: Decimal, *, price_usd: str = "100") -> None:
        """Execute a part of a working order."""
        done = self.executed[client_order_id]
        done.append(
            Trade(
                trade_id=f"{client_order_id}/{len(done) + 1}",
                client_order_id=client_order_id,
                quantity=quantity,
                price_usd=Decimal(price_usd),
                fee_usd=Decimal("0.05"),
                executed_at=datetime(2018, 6, 5, 15, tzinfo=UTC),
            )
        )
        filled = sum((trade.quantity for trade in done), Decimal(0))
        is_full = filled >= self.requests[client_order_id].quantity
        self.orders[client_order_id] = replace(
            self.orders[client_order_id],
            filled_quantity=filled,
            status=VenueStatus.FILLED if is_full else VenueStatus.WORKING,
        )

    def expire(self, client_order_id: str) -> None:
        """End a working order at the session's close."""
        self._end(client_order_id, VenueStatus.EXPIRED)

    def filled(self, client_order_id: str) -> Decimal:
        """Return what was executed of an order."""
        return sum((trade.quantity for trade in self.executed.get(client_order_id, ())), Decimal(0))

    def _end(self, client_order_id: str, status: VenueStatus) -> None:
        order = self.orders.get(client_order_id)
        if order is not None and order.status is VenueStatus.WORKING:
            self.orders[client_order_id] = replace(order, status=status)

    def _answer(self) -> None:
        if self.is_deaf:
            raise Fault(ErrorCode.VENUE_UNAVAILABLE, "told to be deaf", fix="wait")
