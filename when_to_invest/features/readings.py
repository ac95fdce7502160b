"""What an investor would read off the chart at the last close: returns, falls, activity.

Stage: features (pure). Scalars as of the newest day, from that day and earlier ones only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from when_to_invest.features.daily import DailyBars
from when_to_invest.features.risk_frame import WEEK, RiskFrame
from when_to_invest.features.windows import change_ratio, rolling_max, rolling_mean

PEAK_WINDOW: Final = 252
MEDIAN_WINDOW: Final = 1260
"""Five years of sessions."""
SHOCK_DAYS: Final = 3
"""A one-day fall is remembered for this many sessions."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Ratios unless named otherwise; volatilities are per year.

    `intraday_fall`: the last session's low over the close before, minus 1 (close-only data:
    the day's return). `close` is a price in USD. `worst_day`: the worst daily return of the last 3 sessions.
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


def read_chart(bars: DailyBars, frame: RiskFrame) -> Readings:
    """Return the readings at the newest day; `bars` must hold more than a year."""
    import numpy as np

    daily = change_ratio(bars.close, 1)
    week = np.sqrt(rolling_mean(frame.variance, WEEK)[WEEK - 1 :] * bars.days_per_year)
    lowest = bars.low[-1] if bars.has_range else bars.close[-1]
    return Readings(
        close=float(bars.close[-1]),
        day_return=float(daily[-1]),
        worst_day=float(daily[-SHOCK_DAYS:].min()),
        week_return=float(change_ratio(bars.close, WEEK)[-1]),
        intraday_fall=float(lowest / bars.close[-2] - 1.0),
        drawdown=float(bars.close[-1] / rolling_max(bars.close, PEAK_WINDOW)[-1] - 1.0),
        week_volatility=float(week[-1]),
        week_volatility_median=float(np.median(week[-MEDIAN_WINDOW:])),
        long_run_volatility=float(np.sqrt(frame.variance[1:].mean() * bars.days_per_year)),
    )
