"""Daily bars of a snapshot, whatever the length of its own bars.

Stage: features (pure), first step. Finer bars are gathered into UTC days; only days that
were over at the snapshot's as-of count (on an exchange at 21:00, like its daily bars), and an opening
part of a day is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Interval, Session
from when_to_invest.market import EXCHANGE_CLOSE, BarSeries, Snapshot

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, TimeArray

DAY_US: Final = 86_400_000_000
SESSIONS_PER_YEAR: Final = 252
DAYS_PER_YEAR: Final = 365
_MONDAY_SHIFT: Final = 3
_SATURDAY: Final = 5
_FIRST_YEAR: Final = SESSIONS_PER_YEAR
"""Days that tell whether weekends are open; fewer than any forecast needs."""
_WEEKEND_SHARE: Final = 0.2
"""Of all days; two in seven where weekends are open, and never this many from stray bars."""


@dataclass(frozen=True, slots=True)
class DailyBars:
    """Columns of equal length n, oldest first, one row a trading day.

    `day`: int64 days since 1970 (UTC). `open`, `high`, `low`, `close`: float64 (n,) in USD;
    without ranges (`has_range` false) only `close` is known, the others are NaN.
    `days_per_year`: 252 where weekends were closed in the first year, else 365.
    """

    day: TimeArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    has_range: bool
    days_per_year: int
    session: Session

    def __len__(self) -> int:
        return len(self.day)

    def until(self, count: int) -> DailyBars:
        """Return the first `count` days, as they stood then."""
        return DailyBars(
            day=self.day[:count],
            open=self.open[:count],
            high=self.high[:count],
            low=self.low[:count],
            close=self.close[:count],
            has_range=self.has_range,
            days_per_year=self.days_per_year,
            session=self.session,
        )


def closed_instant(bars: DailyBars, row: int = -1) -> datetime:
    """Return when a day was over; the newest without `row`."""
    midnight = datetime.fromtimestamp(0, tz=UTC) + timedelta(days=int(bars.day[row]))
    return midnight + (EXCHANGE_CLOSE if bars.session is Session.EXCHANGE else timedelta(days=1))


def daily_bars(snapshot: Snapshot) -> DailyBars:
    """Return the closed days of `snapshot`.

    Raises:
        Fault: `history_too_short` for monthly bars or when no day was complete,
            `corrupt_data` when a price is not a positive number.
    """
    instrument, bars = snapshot.instrument, snapshot.bars
    if instrument.interval is Interval.MONTH:
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT,
            f"{instrument.id} has monthly bars; odds over days cannot be said from them",
            fix="choose an instrument with daily or finer bars, such as SPX or IXIC",
        )
    _check_prices(snapshot)
    if instrument.interval is not Interval.DAY:
        bars = _gather(bars, as_of=snapshot.as_of, session=instrument.session)
    return DailyBars(
        day=bars.opened_us // DAY_US,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        has_range=instrument.has_range,
        days_per_year=_days_per_year(bars.opened_us),
        session=instrument.session,
    )


def _check_prices(snapshot: Snapshot) -> None:
    import numpy as np

    bars = snapshot.bars
    columns = (bars.open, bars.high, bars.low, bars.close) if snapshot.instrument.has_range else (bars.close,)
    if any(not bool((np.isfinite(column) & (column > 0)).all()) for column in columns):
        raise Fault(
            ErrorCode.CORRUPT_DATA,
            f"a price of {snapshot.instrument.id} is not a positive number",
            fix="import clean bars",
        )


def _gather(bars: BarSeries, *, as_of: datetime, session: Session) -> BarSeries:
    """Gather fine bars into the UTC days that were over at `as_of`."""
    import numpy as np

    days, starts = np.unique(bars.opened_us // DAY_US, return_index=True)
    stops = np.append(starts[1:], len(bars))
    length = EXCHANGE_CLOSE if session is Session.EXCHANGE else timedelta(days=1)
    is_over = days * DAY_US + length // timedelta(microseconds=1) <= _microseconds(as_of)
    if len(bars) and bars.opened_us[0] % DAY_US:
        is_over[0] = False
    if not is_over.any():
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT, "no day is complete yet", fix="import more history, or wait a day"
        )
    first, last = starts[is_over], stops[is_over] - 1
    within = slice(int(first[0]), int(last[-1]) + 1)
    offsets = first - within.start
    return BarSeries(
        opened_us=days[is_over] * DAY_US,
        open=bars.open[first],
        high=np.maximum.reduceat(bars.high[within], offsets),
        low=np.minimum.reduceat(bars.low[within], offsets),
        close=bars.close[last],
        volume=np.add.reduceat(bars.volume[within], offsets),
    )


def _microseconds(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _days_per_year(opened_us: TimeArray) -> int:
    """Judge by the first year alone, so that no later bar changes what was said before it."""
    weekday = (opened_us[:_FIRST_YEAR] // DAY_US + _MONDAY_SHIFT) % 7
    return DAYS_PER_YEAR if float((weekday >= _SATURDAY).mean()) >= _WEEKEND_SHARE else SESSIONS_PER_YEAR
