"""Recent variance at four speeds: what the volatility forecast and the drop odds learn from.

Stage: features (pure). Row t is known at the close of day t. Source: the cascade of
horizons of Corsi (2009), "A simple approximate long-memory model of realized volatility".
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class RiskFrame:
    """Daily variance and its logarithm at four speeds.

    `variance`: (n,). `log_variance`: (n, 4), the latest day, week, month and quarter; NaN
    where history does not reach back far enough.
    """

    variance: FloatArray
    log_variance: FloatArray


def risk_frame(bars: DailyBars) -> RiskFrame:
    """Return the variance features of every day."""
    import numpy as np

    variance = daily_variance(bars)
    # A single squared return is too noisy to stand for today's variance.
    latest = variance if bars.has_range else exponential_mean(variance, EWMA_DECAY)
    speeds = (latest, *(rolling_mean(variance, window) for window in (WEEK, MONTH, QUARTER)))
    return RiskFrame(variance=variance, log_variance=np.log(np.column_stack(speeds)))
