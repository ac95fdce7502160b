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
from typing import Any, Final, TypeVar

from executor.identity import has_shape
from executor.venues.ccxt.amounts import Told, contradicted, text
from executor.venues.ccxt.answers import holdings_of, instant, order_of, quote_of, trades_of
from executor.venues.ccxt.classify import BEYOND_DOUBT, Outcome, outcome_of
from executor.venues.ccxt.desk import Desk
from executor.venues.ccxt.dialects import Validity
from executor.venues.ccxt.line import MissedError
from executor.venues.ccxt.pacing import NotNowError
from executor.venues.ccxt.skew import MOST_SKEW
from executor.venues.ccxt.terms import Terms
from executor.venues.port import (
    NewOrder,
    OrderDeclinedError,
    OrderRef,
    OrderUnsentError,
    OutcomeUnknownError,
    SubmitError,
    Trade,
    VenueOrder,
    VenueProfile,
    VenueStatus,
)
from home.clock import Clock
from when_to_invest.errors import Fault
from when_to_invest.quotes import Quote
from when_to_invest.venue_status import TradingStatus

BOOK_LEVELS: Final = 20
STATUS_LASTS_S: Final = 5.0
_TRADING: Final = MappingProxyType({"ok": TradingStatus.OPEN})
Answer = TypeVar("Answer")


class CcxtVenue:
    """Implements `Venue` over one ccxt client, which it closes."""

    def __init__(self, desk: Desk, *, profile: VenueProfile, clock: Clock) -> None:
        self.profile = profile
        self._desk = desk
        self._clock = clock
        self._status: tuple[float, TradingStatus] | None = None

    async def submit(self, order: NewOrder) -> VenueOrder:
        """Send once what the venue's filters let pass. See `Venue.submit`."""
        params, terms = await self._prepared(order)
        try:
            told = await self._desk.line.ask(
                "create_order",
                terms.symbol,
                "limit",
                order.side.value,
                order.quantity,
                order.limit_price_usd,
                params,
            )
        except NotNowError as error:
            raise OrderUnsentError(str(error)) from error
        except MissedError as error:
            raise await self._verdict(error, order) from error
        return _accepted(told, order)

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
        told = await self._desk.answered(self._desk.dialect.trades(self._desk.line.ask, sought))
        return trades_of(told or (), order=known, terms=self._desk.terms[order.instrument])

    async def cancel(self, order: OrderRef) -> None:
        """Ask once that the rest be cancelled. See `Venue.cancel`."""
        sought = await self._desk.sought(order)
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

    async def _prepared(self, order: NewOrder) -> tuple[dict[str, Any], Terms]:
        """Return an order's parameters and terms.

        Raises:
            OrderDeclinedError, OrderUnsentError: nothing was sent.
        """
        try:
            terms = (await self._desk.ready()).get(order.instrument)
        except Fault as fault:
            raise OrderUnsentError(fault.message) from fault
        if terms is None:
            raise OrderDeclinedError(f"{order.instrument} is not configured at {self.profile.name}")
        if not has_shape(order.client_order_id, self._desk.dialect.shape):
            raise OrderDeclinedError(
                f"its client order id is not written as {self._desk.dialect.shape.value}"
            )
        terms.demand_fit(order)
        if abs(self._desk.time.offset) > MOST_SKEW:
            raise OrderUnsentError(f"the venue's clock and ours are {abs(self._desk.time.offset)} apart")
        validity = Validity(order.valid_until - self._clock.now(), self._desk.time.now())
        return self._desk.dialect.order_params(order, validity=validity), terms

    async def _verdict(self, missed: MissedError, order: NewOrder) -> SubmitError:
        """Return what a failed submit means; a refusal that a second copy could have met is looked up."""
        kind, heard = type(missed.error).__name__, missed.heard
        why = f"{kind}: {missed}"[:300]
        outcome = outcome_of(missed.error, heard, final_words=self._desk.dialect.final_words)
        if outcome is Outcome.UNSENT:
            return OrderUnsentError(why)
        if kind == "InvalidNonce":
            self._desk.time.forget()
        if outcome is Outcome.AMBIGUOUS:
            return OutcomeUnknownError(why)
        if heard.is_sent and kind not in BEYOND_DOUBT and await self._may_exist(order):
            return OutcomeUnknownError(f"it was refused, and may exist all the same: {why}")
        return OrderDeclinedError(why)

    async def _may_exist(self, order: NewOrder) -> bool:
        try:
            return await self.find(OrderRef(order.client_order_id, order.instrument)) is not None
        except Fault:
            return True

    async def _said_status(self) -> TradingStatus:
        if not self._desk.dialect.says_status:
            await self._desk.line.ask("fetch_time")
            return TradingStatus.OPEN
        told = await self._desk.line.ask("fetch_status")
        return _TRADING.get(text(told, "status"), TradingStatus.HALTED)


def _has_outlived(told: Told, now: datetime) -> bool:
    """Whether an order that rests is of an earlier day (UTC): only day orders rest here."""
    return instant(told, about="an open order").date() < now.date()


def _accepted(told: object, order: NewOrder) -> VenueOrder:
    """Return the order that an answer confirms; what it says besides is asked for later.

    Raises:
        OutcomeUnknownError: it confirms no order, or another one.
    """
    if not isinstance(told, Mapping) or not text(told, "id"):
        raise OutcomeUnknownError("the answer names no order")
    if text(told, "clientOrderId") not in {"", order.client_order_id}:
        raise OutcomeUnknownError("the answer is about another order")
    return VenueOrder(
        order.client_order_id, text(told, "id"), VenueStatus.WORKING, Decimal(0), order.instrument
    )
