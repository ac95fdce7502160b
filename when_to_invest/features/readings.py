"""What an investor would read off the chart at a close: returns, falls, activity.

Stage: features (pure). Scalars as of a day, from that day and earlier ones only; a past day is
read exactly as it was read then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.features.daily import DailyBars
from when_to_invest.features.risk_frame import WEEK, RiskFrame
from when_to_invest.features.windows import change_ratio, rolling_max

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

PEAK_WINDOW: Final = 252
MEDIAN_WINDOW: Final = 1260
"""Five years of sessions."""
SHOCK_DAYS: Final = 3
"""A one-day fall is remembered for this many sessions."""
_REACH: Final = PEAK_WINDOW - 1


@dataclass(frozen=True, slots=True)
class Readings:
    """Ratios unless named otherwise; volatilities are per year.

    `close` is a price in USD, `reference` the close before it. `worst_day`: the worst daily
    return of the last 3 sessions. `intraday_fall`, `intraday_rise`: the session's low and high
    over `reference`, minus 1 (close-only data: the day's return).
    """

    close: float
    day_return: float
    worst_day: float
    week_return: float
    intraday_fall: float
    drawdown: float
    week_volatility: float
    week_volatility_median: float
    long_run_volatility: float
    reference: float = 1.0
    intraday_rise: float = 0.0


def read_chart(bars: DailyBars, frame: RiskFrame) -> Readings:
    """Return the readings at the newest day; `bars` must hold more than a year."""
    return read_days(bars, frame, first=len(bars) - 1)[0]


def read_days(
    bars: DailyBars, frame: RiskFrame, *, first: int, stop: int | None = None, with_median: bool = True
) -> list[Readings]:
    """Return the readings of days `first` to `stop` (exclusive; the newest when None).

    Days before the first full year are read with what there is. Without `with_median` the
    median is left out as NaN: it is dear, and one breaker alone looks at it.
    """
    import numpy as np

    stop = len(bars) if stop is None else stop
    near = slice(max(0, first - _REACH), stop)
    days = slice(first - near.start, None)
    close = bars.close[near]
    daily = change_ratio(close, 1)
    before = close[np.maximum(np.arange(len(close)) - 1, 0)]
    low, high = (bars.low[near], bars.high[near]) if bars.has_range else (close, close)
    week = np.sqrt(frame.week[:stop] * bars.days_per_year)
    columns = (
        close,
        daily,
        -rolling_max(-np.nan_to_num(daily), SHOCK_DAYS),
        change_ratio(close, WEEK),
        low / before - 1.0,
        close / rolling_max(close, PEAK_WINDOW) - 1.0,
    )
    rows = (
        *(column[days] for column in columns),
        week[first:],
        _medians(week, first) if with_median else np.full(stop - first, np.nan),
        np.sqrt(frame.long_run[first:stop] * bars.days_per_year),
        before[days],
        (high / before - 1.0)[days],
    )
    return [Readings(*row) for row in zip(*(column.tolist() for column in rows), strict=True)]


def _medians(week: FloatArray, first: int) -> FloatArray:
    """Return the median of the five years up to each day from `first` on."""
    import numpy as np

    stops = range(first + 1, len(week) + 1)
    return np.array([_median(week[max(WEEK - 1, stop - MEDIAN_WINDOW) : stop]) for stop in stops])


def _median(values: FloatArray) -> float:
    """Return numpy's median, of a short column in a third of its time."""
    import numpy as np

    ordered, count = np.sort(values), len(values)
    return float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2.0
