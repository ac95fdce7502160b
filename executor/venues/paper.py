"""The paper venue: an honest stand-in for a remote party, on recorded or imported bars.

Stage: venue. It accepts an order durably in its own book, then answers; the pause between
the two (`ack_delay_s`) makes "killed between send and answer" a real situation. Fills
follow `matching`. It knows no accounts: cash and positions are the gate's and the
executor's business. It must never exist in live mode and never look ahead.

Because an order is durable before the answer, and the only client holds the home's
executor lock and calls it in process, a `find` that returns none proves absence: no
request can still be under way. That is why recovery may ask its rounds back to back.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar

from executor.offload import InPlace, Offload
from executor.venues.matching import Ended, Execution, RestingOrder, fee_of, outcome
from executor.venues.paper_book import PaperBook
from executor.venues.paper_market import Prices, balances_after, quote_at, traded_between
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
from home.clock import Clock
from home.settings import PaperSettings
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument
from when_to_invest.money import floor_to_step
from when_to_invest.quotes import Quote
from when_to_invest.values import Mode
from when_to_invest.venue_status import TradingStatus

__all__ = ["PAPER", "PaperVenue", "Prices"]

PAPER: Final = "paper"
Result = TypeVar("Result")


class PaperVenue:
    """Implements `Venue`; amounts are Decimal, prices in USD, quantities in base units."""

    def __init__(
        self,
        path: Path,
        *,
        mode: Mode,
        prices: Prices,
        clock: Clock,
        settings: PaperSettings,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        offload: Offload | None = None,
    ) -> None:
        _refuse_live(mode)
        self.profile = VenueProfile(name=PAPER, mode=mode, absence_is_authoritative=True)
        self._prices = prices
        self._clock = clock
        self._settings = settings
        self._pause = pause
        self._offload = offload or InPlace()
        try:
            self._book = PaperBook(path)
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        """Close the book."""
        await self._offload.run(self._book.close)

    async def status(self) -> TradingStatus:
        """Return `OPEN`: the book takes orders at any time. See `Venue.status`."""
        return TradingStatus.OPEN

    async def submit(self, order: NewOrder) -> VenueOrder:
        """Accept `order` durably, wait `ack_delay_s`, answer. See `Venue.submit`."""
        accepted = await self._offload.run(lambda: self._accepted(order))
        await self._pause(self._settings.ack_delay_s)
        return accepted

    async def find(self, order: OrderRef) -> VenueOrder | None:
        """Return the order as of the clock's now, after matching. See `Venue.find`."""

        def look() -> VenueOrder | None:
            self._match(order.client_order_id)
            return self._book.order(order.client_order_id)

        return await self._asked(look)

    async def trades(self, order: OrderRef) -> tuple[Trade, ...]:
        """Return the trades as of the clock's now. See `Venue.trades`."""

        def look() -> tuple[Trade, ...]:
            self._match(order.client_order_id)
            return self._book.trades(order.client_order_id)

        return await self._asked(look)

    async def cancel(self, order: OrderRef) -> None:
        """Match up to now, then cancel what still rests. See `Venue.cancel`."""

        def end() -> None:
            self._match(order.client_order_id)
            self._book.end(order.client_order_id, status=VenueStatus.CANCELLED, at=self._clock.now())

        await self._asked(end)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Return what still rests after matching. See `Venue.open_orders`."""

        def look() -> tuple[VenueOrder, ...]:
            self._match_all()
            return self._book.working()

        return await self._asked(look)

    async def balances(self) -> Mapping[str, Decimal]:
        """Return the opening cash and what trades made of it, after matching. See `Venue.balances`."""

        def look() -> Mapping[str, Decimal]:
            self._match_all()
            return balances_after(self._book.changes(), cash_usd=self._settings.cash_usd)

        return await self._asked(look)

    async def quote(self, instrument: str) -> Quote | None:
        """Return the newest close, as far apart as the slippage on both sides. See `Venue.quote`.

        Quantities are the instrument's lot: the book has no depth of its own.
        """
        now, slippage_bps = self._clock.now(), self._settings.slippage_bps
        return await self._asked(
            lambda: quote_at(now, instrument, prices=self._prices, slippage_bps=slippage_bps)
        )

    async def traded_quantity(self, instrument: str, *, since: datetime) -> Decimal | None:
        """Return the volume of the bars that opened since and have closed. See `Venue.traded_quantity`."""
        now = self._clock.now()
        return await self._asked(lambda: traded_between(since, now, instrument, prices=self._prices))

    async def _asked(self, look: Callable[[], Result]) -> Result:
        try:
            return await self._offload.run(look)
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    def _accepted(self, order: NewOrder) -> VenueOrder:
        now = self._clock.now()
        _refuse_unfit(order, prices=self._prices, now=now)
        try:
            self._book.accept(order, at=now)
            accepted = self._book.order(order.client_order_id)
        except sqlite3.IntegrityError as error:
            raise OutcomeUnknownError("an order of that client order id exists; find it") from error
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise OrderUnsentError("the paper book was locked; nothing was written") from error
            raise OutcomeUnknownError(f"the paper book failed: {error}") from error
        except sqlite3.Error as error:
            raise OutcomeUnknownError(f"the paper book failed: {error}") from error
        if accepted is None:
            raise OutcomeUnknownError("the paper book lost the order it has just accepted")
        return accepted

    def _match_all(self) -> None:
        for order in self._book.working():
            self._match(order.client_order_id)

    def _match(self, client_order_id: str) -> None:
        resting = self._book.resting(client_order_id)
        if resting is None:
            return
        instrument = self._prices.instrument(self._book.instrument_of(client_order_id))
        now = self._clock.now()
        what = outcome(
            resting,
            instrument=instrument,
            next_bar=lambda after: self._prices.next_bar(instrument.id, after=after, until=now),
            now=now,
            slippage_bps=self._settings.slippage_bps,
        )
        if isinstance(what, Ended):
            self._book.end(client_order_id, status=what.status, at=what.at)
        elif isinstance(what, Execution):
            fee_bps = self._settings.fee_bps
            trade = _trade(client_order_id, resting=resting, execution=what, fee_bps=fee_bps)
            self._book.end(client_order_id, status=VenueStatus.FILLED, at=what.at, trade=trade)


def _refuse_live(mode: Mode) -> None:
    if mode is Mode.LIVE:
        raise Fault(
            ErrorCode.MODE_MISMATCH,
            "the paper venue does not exist in live mode",
            fix="set mode to replay or paper, or configure a live venue",
        )


def _trade(client_order_id: str, *, resting: RestingOrder, execution: Execution, fee_bps: Decimal) -> Trade:
    return Trade(
        trade_id=f"{client_order_id}-1",
        client_order_id=client_order_id,
        quantity=resting.quantity,
        price_usd=execution.price_usd,
        fee_usd=fee_of(resting.quantity * execution.price_usd, fee_bps=fee_bps),
        executed_at=execution.at,
    )


def _refuse_unfit(order: NewOrder, *, prices: Prices, now: datetime) -> None:
    if now > order.valid_until:
        raise OrderDeclinedError("the request arrived after its validity")
    try:
        instrument = prices.instrument(order.instrument)
    except Fault as fault:
        raise OrderDeclinedError(fault.message) from fault
    reason = _misfit(order, instrument=instrument)
    if reason:
        raise OrderDeclinedError(reason)


def _misfit(order: NewOrder, *, instrument: Instrument) -> str:
    """Say why the order does not fit the instrument's steps, or nothing."""
    if not (order.quantity.is_finite() and order.limit_price_usd.is_finite()):
        return "quantity and limit price must be numbers"
    if not instrument.is_tradable or not instrument.has_range:
        return f"{instrument.id} cannot be traded"
    if order.quantity <= 0 or floor_to_step(order.quantity, instrument.lot_size) != order.quantity:
        return f"quantity is no positive multiple of the lot {instrument.lot_size}"
    if floor_to_step(order.limit_price_usd, instrument.tick_size_usd) != order.limit_price_usd:
        return f"limit price is no multiple of the tick {instrument.tick_size_usd}"
    if order.quantity * order.limit_price_usd < instrument.min_notional_usd:
        return f"notional is below {instrument.min_notional_usd} USD"
    return ""


def _unavailable(error: sqlite3.Error) -> Fault:
    return Fault(
        ErrorCode.VENUE_UNAVAILABLE,
        f"the paper venue's book failed: {error}",
        fix="check the disk and the permissions of paper-venue.sqlite",
    )
