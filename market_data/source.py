"""What was known at an instant: snapshots, reference prices, and the next tradable bar.

Shell, the only door through which bars leave for analysis or trading.

# INVARIANT: nothing returned for an instant had not closed (or, for `next_bar`, not opened)
# by then.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from home.paths import Home
from market_data.catalogue import bars_of, instrument
from market_data.session_range import exact_price, session_range
from when_to_invest.canonical import utc_text
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.market import (
    EXCHANGE_CLOSE,
    EXCHANGE_OPEN,
    Bar,
    BarSeries,
    ReferencePrice,
    Snapshot,
    closed_at,
)

if TYPE_CHECKING:
    from when_to_invest.market import TimeArray

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LAST_SECOND: Final = time(23, 59, 59, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class _SameSeries:
    """Names a series by being that very one: columns are read-only, and new data are a new series."""

    __slots__ = ("series",)

    def __init__(self, series: BarSeries) -> None:
        self.series = series

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameSeries) and other.series is self.series

    def __hash__(self) -> int:
        return id(self.series)


def parse_as_of(text: str) -> datetime:
    """Parse `--as-of`: a date means that day's 23:59:59 UTC, else an instant with a zone.

    Raises:
        Fault: `bad_argument` when it is neither.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise _bad_as_of(text, "is not a date") from error
    if _DATE.fullmatch(text):
        return datetime.combine(instant.date(), _LAST_SECOND)
    if instant.tzinfo is None:
        raise _bad_as_of(text, "has no time zone")
    return instant.astimezone(UTC)


def snapshot(home: Home, instrument_id: str, *, as_of: datetime) -> Snapshot:
    """Return the instrument's bars that had closed at `as_of` (aware).

    Raises:
        Fault: `unknown_instrument`, `no_data`, `corrupt_data`, or `as_of_before_data`.
    """
    return known_at(instrument(home, instrument_id), bars_of(home, instrument_id), as_of=as_of)


def known_at(known: Instrument, series: BarSeries, *, as_of: datetime) -> Snapshot:
    """Return those bars of `series` that had closed at `as_of` (aware).

    Raises:
        Fault: `as_of_before_data` when there is none.
    """
    count = _count_until(closing_times(series, known), as_of)
    if count == 0:
        first = closed_at(series.opened_at(0), interval=known.interval, session=known.session)
        raise Fault(
            ErrorCode.AS_OF_BEFORE_DATA,
            f"{known.id} has no bar that had closed by {utc_text(as_of)}; the first closed at "
            f"{utc_text(first)}",
            fix=f"choose an as-of from {first:%Y-%m-%d} on",
        )
    return Snapshot(instrument=known, as_of=as_of, bars=series.between(0, count))


def latest_as_of(home: Home, instrument_id: str) -> datetime:
    """Return when the newest bar had closed, and on an exchange its session: the latest sensible as-of."""
    known, series = instrument(home, instrument_id), bars_of(home, instrument_id)
    newest = series.opened_at(-1)
    closed = closed_at(newest, interval=known.interval, session=known.session)
    if known.session is Session.CONTINUOUS or known.interval is Interval.MONTH:
        return closed
    return max(closed, datetime.combine(newest.date(), time(), tzinfo=UTC) + EXCHANGE_CLOSE)


def reference_price(home: Home, instrument_id: str, *, now: datetime) -> ReferencePrice | None:
    """Return the close of the newest bar closed at `now`; None when there is none yet.

    Raises:
        Fault: `unknown_instrument`, `no_data` or `corrupt_data`.
    """
    known, series = instrument(home, instrument_id), bars_of(home, instrument_id)
    held = _SameSeries(series)
    count = _count_until(_known_closing_times(held, known), now)
    return None if count == 0 else _newest_price(held, known, count)


@lru_cache(maxsize=8)
def _known_closing_times(held: _SameSeries, known: Instrument) -> TimeArray:
    """Return `closing_times`; every order asks for them again."""
    times = closing_times(held.series, known)
    times.flags.writeable = False
    return times


@lru_cache(maxsize=32)
def _newest_price(held: _SameSeries, known: Instrument, count: int) -> ReferencePrice:
    """Return the close of bar `count` - 1; kept, because every order asks again while no bar closes."""
    series = held.series
    return ReferencePrice(
        price_usd=exact_price(float(series.close[count - 1])),
        known_at=closed_at(series.opened_at(count - 1), interval=known.interval, session=known.session),
        source=f"{known.venue or 'recorded'}:{known.id}:{known.interval}",
        range=session_range(series, known, count=count),
    )


def next_bar(home: Home, instrument_id: str, *, after: datetime, until: datetime) -> Bar | None:
    """Return the first bar whose opening could be traded after `after` and by `until`.

    None also for a close-only instrument: without an opening price nothing can fill there.

    Raises:
        Fault: `unknown_instrument`, `no_data` or `corrupt_data`.
    """
    known, series = instrument(home, instrument_id), bars_of(home, instrument_id)
    if not known.has_range:
        return None
    tradable = _tradable_times(series, known)
    index = _count_until(tradable, after)
    if index == len(series) or int(tradable[index]) > _microseconds(until):
        return None
    opened = series.opened_at(index)
    return Bar(
        opened_at=opened,
        closed_at=closed_at(opened, interval=known.interval, session=known.session),
        open_usd=exact_price(float(series.open[index])),
        high_usd=exact_price(float(series.high[index])),
        low_usd=exact_price(float(series.low[index])),
        close_usd=exact_price(float(series.close[index])),
        volume=exact_price(float(series.volume[index])) if known.has_volume else Decimal(0),
    )


def closing_times(series: BarSeries, known: Instrument) -> TimeArray:
    """Return `market.closed_at` of every bar as int64 microseconds since 1970 UTC."""
    import numpy as np

    if known.interval is Interval.MONTH:
        months = series.opened_us.astype("datetime64[us]").astype("datetime64[M]") + 1
        return months.astype("datetime64[us]").astype(np.int64)
    if known.interval is Interval.DAY and known.session is Session.EXCHANGE:
        return series.opened_us + EXCHANGE_CLOSE // _MICROSECOND
    length = closed_at(_EPOCH, interval=known.interval, session=known.session) - _EPOCH
    return series.opened_us + length // _MICROSECOND


def _tradable_times(series: BarSeries, known: Instrument) -> TimeArray:
    if known.interval is Interval.DAY and known.session is Session.EXCHANGE:
        return series.opened_us + EXCHANGE_OPEN // _MICROSECOND
    return series.opened_us


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _count_until(times: TimeArray, instant: datetime) -> int:
    """Return how many of the increasing `times` are not after `instant`."""
    return int(times.searchsorted(_microseconds(instant), side="right"))


def _bad_as_of(text: str, why: str) -> Fault:
    return Fault(
        ErrorCode.BAD_ARGUMENT,
        f"as-of {text[:40]!r} {why}",
        fix="give a date such as 2018-12-24 or an instant such as 2018-12-24T21:00:00Z",
    )
