"""When and at what price recorded bars fill a limit order: pure, conservative, no look-ahead.

Stage: paper venue. Of each bar only what was public at `now` is used: its open from the
instant it trades, its high and low once it has closed.

Rules, each against the trader:
1. The first look is at the open of the first bar that starts trading after acceptance.
   Price = open worsened by the slippage and rounded to the tick against the trader; the
   order fills there if that price is within its limit (so a fill may be better than the
   limit, never worse).
2. An IOC order that could not fill there is cancelled.
3. A DAY order rests until its first session closes. A later open fills it like rule 1. A
   closed bar whose range went *through* the limit (the extreme, worsened like rule 1, is
   still strictly better than the limit) fills it at the limit itself: a touch is not
   enough, because others were ahead in the line, and no improvement is granted.
4. At the session's close it expires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from executor.venues.port import VenueStatus
from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.market import EXCHANGE_CLOSE, Bar, tradable_from
from when_to_invest.money import BPS_PER_UNIT, CENT

NextBar = Callable[[datetime], Bar | None]
"""Returns the first bar that starts trading after the given instant and not after now."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """What matching needs to know of an accepted order; `quantity` in base units."""

    side: Side
    quantity: Decimal
    limit_price_usd: Decimal
    time_in_force: TimeInForce
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Execution:
    """The whole quantity traded at `price_usd`."""

    price_usd: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing traded and nothing will."""

    status: VenueStatus
    at: datetime


@dataclass(frozen=True, slots=True)
class Resting:
    """Nothing has happened yet."""


def worsened(price_usd: Decimal, *, side: Side, slippage_bps: Decimal, tick_usd: Decimal) -> Decimal:
    """Return `price_usd` moved by the slippage and to the next tick, both against the trader."""
    moved = price_usd * (1 + side.sign * slippage_bps / BPS_PER_UNIT)
    rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
    return (moved / tick_usd).to_integral_value(rounding=rounding) * tick_usd


def fee_of(notional_usd: Decimal, *, fee_bps: Decimal) -> Decimal:
    """Return the fee in USD, rounded up to the cent."""
    return (notional_usd * fee_bps / BPS_PER_UNIT).quantize(CENT, rounding=ROUND_CEILING)


def session_end(opened_at: datetime, *, instrument: Instrument) -> datetime:
    """Return when the session that holds a bar's opening instant is over.

    A daily bar of an exchange is a session of its own, as is every UTC day of a market
    that never closes. A monthly bar trades on its first day only.
    """
    midnight = opened_at.replace(hour=0, minute=0, second=0, microsecond=0)
    if instrument.session is Session.EXCHANGE and instrument.interval is not Interval.MONTH:
        close = midnight + EXCHANGE_CLOSE
        return close if opened_at < close else close + _DAY
    return midnight + _DAY


def outcome(
    order: RestingOrder,
    *,
    instrument: Instrument,
    next_bar: NextBar,
    now: datetime,
    slippage_bps: Decimal,
) -> Execution | Ended | Resting:
    """Return what the bars that are public at `now` made of the order.

    The answer does not depend on how often it is asked: asked later, it is the same or
    says more.
    """
    limit = _Limit(order=order, slippage_bps=slippage_bps, tick_usd=instrument.tick_size_usd)
    ends_at = None
    for bar in _first_session(order.accepted_at, instrument=instrument, next_bar=next_bar):
        ends_at = ends_at or session_end(bar.opened_at, instrument=instrument)
        starts_at = _starts_at(bar, instrument=instrument)
        if limit.allows(bar.open_usd):
            return Execution(limit.worsened(bar.open_usd), starts_at)
        if order.time_in_force is TimeInForce.IOC:
            return Ended(VenueStatus.CANCELLED, starts_at)
        if bar.closed_at <= now and limit.is_passed_by(bar):
            return Execution(order.limit_price_usd, bar.closed_at)
    if ends_at is not None and ends_at <= now:
        return Ended(VenueStatus.EXPIRED, ends_at)
    return Resting()


def _first_session(after: datetime, *, instrument: Instrument, next_bar: NextBar) -> Iterator[Bar]:
    """Yield the public bars of the first session that starts trading after `after`."""
    ends_at = None
    while (bar := next_bar(after)) is not None:
        starts_at = _starts_at(bar, instrument=instrument)
        ends_at = ends_at or session_end(bar.opened_at, instrument=instrument)
        if starts_at >= ends_at:
            return
        yield bar
        after = starts_at


def _starts_at(bar: Bar, *, instrument: Instrument) -> datetime:
    return tradable_from(bar.opened_at, interval=instrument.interval, session=instrument.session)


@dataclass(frozen=True, slots=True)
class _Limit:
    """Compares prices with an order's limit after slippage."""

    order: RestingOrder
    slippage_bps: Decimal
    tick_usd: Decimal

    def worsened(self, price_usd: Decimal) -> Decimal:
        return worsened(
            price_usd, side=self.order.side, slippage_bps=self.slippage_bps, tick_usd=self.tick_usd
        )

    def _room_usd(self, price_usd: Decimal) -> Decimal:
        """Return how much better than the limit a worsened price is."""
        return (self.order.limit_price_usd - self.worsened(price_usd)) * self.order.side.sign

    def allows(self, price_usd: Decimal) -> bool:
        return self.worsened(price_usd) > 0 and self._room_usd(price_usd) >= 0

    def is_passed_by(self, bar: Bar) -> bool:
        """Whether the bar's range went through the limit, not merely to it."""
        extreme_usd = bar.low_usd if self.order.side is Side.BUY else bar.high_usd
        return extreme_usd > 0 and self._room_usd(extreme_usd) > 0
