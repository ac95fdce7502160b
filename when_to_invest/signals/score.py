"""The multi-factor score: four readings of the market on one scale, -1 (poor) to +1 (good).

Stage: signals (pure). It explains and ranks; it never sizes. Each factor is clipped to its
scale, and the weights are fixed by judgement, not fitted to any history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.signals.trend import Trend

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_FULL_DISTANCE: Final = 0.10
"""This far above its average, a market counts as fully in trend."""
_FULL_DRAWDOWN: Final = 0.10
"""A fall of this size from the year's peak is neutral, of twice that is as poor as it gets."""
WEIGHTS: Final = {"trend": 0.3, "momentum": 0.3, "calm": 0.2, "drawdown": 0.2}


@dataclass(frozen=True, slots=True)
class FactorScore:
    """Each factor, and their weighted mean `total`, in [-1, 1]."""

    trend: float
    momentum: float
    calm: float
    drawdown: float
    total: float


def percentile_rank(values: FloatArray) -> float:
    """Return the share of `values` below the newest one, 0 to 1 (ties count half)."""
    newest = values[-1]
    below = float((values < newest).mean())
    return below + 0.5 * float((values == newest).mean())


def _clipped(value: float) -> float:
    return max(-1.0, min(1.0, value))


def score_factors(trend: Trend, *, volatility_rank: float, drawdown: float) -> FactorScore:
    """Score the facts; `volatility_rank` in [0, 1], `drawdown` a ratio of at most 0."""
    parts = {
        "trend": _clipped(trend.sma200_distance / _FULL_DISTANCE),
        "momentum": (2 * trend.rising_count - 3) / 3.0,
        "calm": 1.0 - 2.0 * volatility_rank,
        "drawdown": _clipped(1.0 + drawdown / _FULL_DRAWDOWN),
    }
    total = sum(WEIGHTS[name] * value for name, value in parts.items())
    return FactorScore(**parts, total=_clipped(total))
