"""A venue behind ccxt: places, finds, follows and cancels orders, each request sent once.

Stage: executor → venue. It keeps nothing of an order: the journal does. It must never repeat
a request, send an amount that it had to round, or hand on what a venue cannot have meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeVar

from executor.venues.ccxt.amounts import Told, contradicted, text
from executor.venues.ccxt.answers import (
    holdings_of,
    instant,
    order_of,
    other_fee_assets,
    quote_of,
    traded_since,
    trades_of,
)
from executor.venues.ccxt.desk import BOOK_LEVELS, Desk
from executor.venues.ccxt.placing import Placing
from executor.venues.port import (
    NewOrder,
    OrderRef,
    Trade,
    VenueOrder,
    VenueProfile,
    VenueStatus,
)
from home.clock import Clock
from when_to_invest.quotes import Quote
from when_to_invest.venue_status import TradingStatus

NEWEST_TRADES: Final = 500
STATUS_LASTS_S: Final = 5.0
_TRADING: Final = MappingProxyType({"ok": TradingStatus.OPEN})
Answer = TypeVar("Answer")


class CcxtVenue:
    """Implements `Venue` over one ccxt client, which it closes."""

    def __init__(self, desk: Desk, *, profile: VenueProfile, clock: Clock) -> None:
        self.profile = profile
        self._desk = desk
        self._clock = clock
        self._placing = Placing(desk, find=self.find, clock=clock)
        self._status: tuple[float, TradingStatus] | None = None

    async def submit(self, order: NewOrder) -> VenueOrder:
        """Send once what the venue's filters let pass. See `Venue.submit`."""
        return await self._placing.submit(order)

    async def find(self, order: OrderRef) -> VenueOrder | None:
        """Look for one order in the venue's way; one that outlived its day is cancelled. See `Venue.find`."""
        sought = await self._desk.sought(order)
        told = await self._desk.answered(self._desk.dialect.find(self._desk.line.ask, sought))
        if told is None:
            return None
        if not sought.is_it(told) or text(told, "symbol") != sought.symbol:
            raise contradicted(f"order {order.client_order_id}", "it answers with another order")
        found = order_of(told, client_order_id=order.client_order_id, instrument=order.instrument)
        if found.status is VenueStatus.WORKING and _has_outlived(told, self._desk.time.now()):
            await self.cancel(replace(order, venue_order_id=found.venue_order_id))
        return found

    async def trades(self, order: OrderRef) -> tuple[Trade, ...]:
        """Return the trades of one order, found first if need be. See `Venue.trades`."""
        known = order
        if not order.venue_order_id:
            found = await self.find(order)
            if found is None:
                return ()
            known = replace(order, venue_order_id=found.venue_order_id)
        sought = await self._desk.sought(known)
        told = await self._desk.answered(self._desk.dialect.trades(self._desk.line.ask, sought)) or ()
        terms = self._desk.terms[order.instrument]
        prices_usd = await self._desk.prices_of(other_fee_assets(told, terms))
        return trades_of(told, order=known, terms=terms, prices_usd=prices_usd)

    async def cancel(self, order: OrderRef) -> None:
        """Ask once that the rest be cancelled. See `Venue.cancel`."""
        sought = await self._desk.sought(order, is_urgent=True)
        await self._desk.answered(self._desk.dialect.cancel(self._desk.line.ask, sought))

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Return every open order under the id that the venue knows. See `Venue.open_orders`."""
        await self._desk.ready()
        told: Sequence[Told] = (
            await self._desk.answered(self._desk.dialect.open_orders(self._desk.line.ask)) or ()
        )
        orders = [
            order_of(
                one,
                client_order_id=text(one, "clientOrderId"),
                instrument=self._desk.pairs.instrument(text(one, "symbol")),
            )
            for one in told
        ]
        return tuple(order for order in orders if order.status is VenueStatus.WORKING)

    async def balances(self) -> Mapping[str, Decimal]:
        """Return everything the account holds. See `Venue.balances`."""
        await self._desk.ready()
        return holdings_of(await self._desk.answered(self._desk.line.ask("fetch_balance")) or {})

    async def quote(self, instrument: str) -> Quote | None:
        """Return the book's best twenty levels a side. See `Venue.quote`."""
        terms = (await self._desk.ready()).get(instrument)
        if terms is None:
            return None
        told = await self._desk.answered(self._desk.line.ask("fetch_order_book", terms.symbol, BOOK_LEVELS))
        return quote_of(told or {}, instrument=instrument, at=self._clock.now())

    async def traded_quantity(self, instrument: str, *, since: datetime) -> Decimal | None:
        """Return what the newest trades add up to, where they reach back that far. See the port."""
        terms = (await self._desk.ready()).get(instrument)
        if terms is None:
            return None
        told = await self._desk.answered(
            self._desk.line.ask("fetch_trades", terms.symbol, None, NEWEST_TRADES)
        )
        return traded_since(told or (), since, is_complete=len(told or ()) < NEWEST_TRADES)

    async def status(self) -> TradingStatus:
        """Return what the venue said of itself in the last 5 s, or says now. See `Venue.status`."""
        await self._desk.ready()
        now = self._desk.line.monotonic()
        if self._status is None or now - self._status[0] > STATUS_LASTS_S:
            self._status = (now, await self._desk.answered(self._said_status()) or TradingStatus.DOWN)
        return self._status[1]

    async def close(self) -> None:
        """Close every connection. See `Venue.close`."""
        await self._desk.line.close()

    async def _said_status(self) -> TradingStatus:
        if not self._desk.dialect.says_status:
            await self._desk.line.ask("fetch_time")
            return TradingStatus.OPEN
        told = await self._desk.line.ask("fetch_status")
        return _TRADING.get(text(told, "status"), TradingStatus.HALTED)


def _has_outlived(told: Told, now: datetime) -> bool:
    """Whether an order that rests is of an earlier day (UTC): only day orders rest here."""
    return instant(told, about="an open order").date() < now.date()
