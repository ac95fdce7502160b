"""Recent variance at four speeds: what the volatility forecast and the drop odds learn from.

Stage: features (pure). Row t is known at the close of day t. Source: the cascade of
horizons of Corsi (2009), "A simple approximate long-memory model of realized volatility".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from when_to_invest.features.daily import DailyBars
from when_to_invest.features.variance import daily_variance
from when_to_invest.features.windows import exponential_mean, rolling_mean

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

WEEK: Final = 5
MONTH: Final = 22
QUARTER: Final = 66
EWMA_DECAY: Final = 0.94
"""RiskMetrics (1996), daily."""
WARM_UP: Final = 252
"""Days before this one are not learnt from: a year of history stands behind every row."""


@dataclass(frozen=True)
class RiskFrame:
    """Variance of every day (n,), and what is read off it, computed when it is first asked for."""

    variance: FloatArray
    has_range: bool

    @cached_property
    def week(self) -> FloatArray:
        """Mean variance of the latest week (n,), NaN before there is one."""
        return rolling_mean(self.variance, WEEK)

    @cached_property
    def long_run(self) -> FloatArray:
        """Mean variance of all days so far but the first, which has no move (n,)."""
        import numpy as np

        total = np.cumsum(np.append(0.0, self.variance[1:]))
        long_run: FloatArray = total / np.maximum(np.arange(len(total)), 1)
        return long_run

    @cached_property
    def log_variance(self) -> FloatArray:
        """Log variance of the latest day, week, month and quarter (n, 4), NaN before there are so many."""
        import numpy as np

        # A single squared return is too noisy to stand for today's variance.
        latest = self.variance if self.has_range else exponential_mean(self.variance, EWMA_DECAY)
        slower = (rolling_mean(self.variance, window) for window in (MONTH, QUARTER))
        return np.log(np.column_stack((latest, self.week, *slower)))


def risk_frame(bars: DailyBars) -> RiskFrame:
    """Return the variance features of every day."""
    return RiskFrame(daily_variance(bars), bars.has_range)
