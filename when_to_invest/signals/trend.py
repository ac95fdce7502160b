"""Trend: the side of the 200-day average, with a band against whipsaw, and momentum.

Stage: signals (pure). Sources: Faber (2007), "A quantitative approach to tactical asset
allocation", for the moving average; Moskowitz, Ooi and Pedersen (2012) for time-series
momentum. Momentum windows are quarters, halves and wholes of a year of trading days.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Final

from when_to_invest.features.daily import DailyBars
from when_to_invest.features.windows import change_ratio, rolling_mean

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

SMA_WINDOW: Final = 200
BAND_RATIO: Final = 0.02
"""The state flips only this far beyond the average."""


@unique
class TrendState(StrEnum):
    """`UP`: last left the band upwards; `DOWN`: downwards."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Trend:
    """`sma200`: average of the last 200 closes, in USD. Other figures are ratios."""

    state: TrendState
    sma200: float
    sma200_distance: float
    momentum_3m: float
    momentum_6m: float
    momentum_12m: float

    @property
    def rising_count(self) -> int:
        """How many of the three momenta are positive: 0 to 3."""
        return sum(value > 0.0 for value in (self.momentum_3m, self.momentum_6m, self.momentum_12m))


def momentum_windows(days_per_year: int) -> tuple[int, int, int]:
    """Return the lengths of 3, 6 and 12 months in daily bars."""
    return days_per_year // 4, days_per_year // 2, days_per_year


def trend_states(distance: FloatArray) -> FloatArray:
    """Return +1 (up) or -1 (down) at each t, NaN before the band was first left.

    `distance`: close over its 200-day average, minus 1; NaN while there is none.
    """
    import numpy as np

    left = np.where(distance > BAND_RATIO, 1.0, np.where(distance < -BAND_RATIO, -1.0, 0.0))
    newest = np.maximum.accumulate(np.where(left != 0.0, np.arange(len(left)), -1))
    return np.where(newest >= 0, left[newest], np.nan)


def read_trend(bars: DailyBars) -> Trend:
    """Return the trend at the newest day; `bars` must reach back a year and 200 days."""
    return read_trends(bars, first=len(bars) - 1)[0]


def read_trends(bars: DailyBars, *, first: int) -> list[Trend]:
    """Return the trend at each day from `first` on, as it was read then.

    Before the band was ever left, the side of the average decides.
    """
    import numpy as np

    average = rolling_mean(bars.close, SMA_WINDOW)
    distance = bars.close / average - 1.0
    states = trend_states(distance)
    is_up = np.where(np.isnan(states), distance > 0.0, states > 0.0)
    momenta = (change_ratio(bars.close, window) for window in momentum_windows(bars.days_per_year))
    columns = (average, distance, *momenta)
    rows = zip(is_up[first:].tolist(), *(column[first:].tolist() for column in columns), strict=True)
    return [Trend(TrendState.UP if up else TrendState.DOWN, *figures) for up, *figures in rows]


def direction_features(bars: DailyBars, log_variance: FloatArray) -> FloatArray:
    """Return the five features (n, 5) from which direction is, cautiously, learnt.

    Distance to the average, momentum of 1 and 6 months, log variance of the latest week,
    and the week against the quarter. Rows before half a year of history hold 0 for what is unknown.
    """
    import numpy as np

    month, half = bars.days_per_year // 12, bars.days_per_year // 2
    columns = (
        bars.close / rolling_mean(bars.close, SMA_WINDOW) - 1.0,
        change_ratio(bars.close, month),
        change_ratio(bars.close, half),
        log_variance[:, 1],
        log_variance[:, 1] - log_variance[:, 3],
    )
    return np.nan_to_num(np.column_stack(columns))
