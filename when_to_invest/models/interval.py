"""Ranges for the return over the horizon, from scaled past outcomes.

Stage: models (pure). Past returns over the horizon are divided by the volatility forecast
of their own day; the quantiles of those residuals, times today's forecast, bound the return
(volatility-scaled historical simulation, Hull and White 1998).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.features.risk_frame import WARM_UP
from when_to_invest.models.outcomes import log_return_ahead

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

LEVELS: Final = (0.5, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Range:
    """Simple return between `low` and `high` with probability `level`."""

    level: float
    low: float
    high: float


def return_ranges(close: FloatArray, variance_forecast: FloatArray, *, horizon: int) -> tuple[Range, ...]:
    """Return central ranges of the simple return over `horizon` days, narrow to wide.

    Args:
        close: (n,) closes in USD.
        variance_forecast: (n,) mean daily variance expected over the horizon, NaN allowed
            before `WARM_UP`.
        horizon: days ahead, at least 1.
    """
    import numpy as np

    finished = slice(WARM_UP, len(close) - horizon)
    deviation = np.sqrt(variance_forecast * horizon)
    residuals = log_return_ahead(close, horizon)[finished] / deviation[finished]
    now = float(deviation[-1])
    ranges = []
    for level in LEVELS:
        tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
        low, high = np.expm1(np.quantile(residuals, tails) * now)
        ranges.append(Range(level=level, low=float(low), high=float(high)))
    return tuple(ranges)
