"""Odds of falls whose depth is told in the instrument's own volatility, not in hundredths.

Stage: models (pure). The pooled odds were learnt on such depths (`pooling.OWN_UNITS`), because a
fall of 0.05 is rare for an index and a week's noise for a coin. One sigma is the root mean square of
all daily returns so far, times the root of the horizon.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from when_to_invest.models.fall_odds import THRESHOLDS, HorizonOdds, fall_odds
from when_to_invest.models.past import Past

SIGMAS: Final = (0.8, 1.6, 2.4)
"""Depths that the odds were learnt on, from common to rare."""


@dataclass(frozen=True, slots=True)
class OwnFall:
    """A fall of `sigmas` own volatilities over the horizon, which is `threshold` as a ratio."""

    sigmas: float
    threshold: float
    odds: float
    base: float


def own_falls(past: Past, known: HorizonOdds) -> tuple[OwnFall, ...]:
    """Return the odds at the newest day, never at odds with those of `THRESHOLDS` in `known`.

    A fall of s sigmas is 1 - exp(-s sigma), sigma being the long-run deviation of the log return
    over the horizon.
    """
    import numpy as np

    panel, horizon = past.panel, known.horizon
    sigma = math.exp(float(panel.volatility[-1] + panel.slopes[-1, -1])) * math.sqrt(horizon)
    depths = [-math.expm1(-each * sigma) for each in SIGMAS]
    found = fall_odds(past, np.array([len(past.bars) - 1]), horizon, depths)
    return tuple(
        OwnFall(sigmas=sigmas, threshold=depth, odds=_between(depth, odds, known.values), base=base)
        for sigmas, depth, odds, base in zip(
            SIGMAS, depths, found.odds[0].tolist(), found.base[0].tolist(), strict=True
        )
    )


def _between(depth: float, odds: float, known: Sequence[float]) -> float:
    """Keep odds between those of the next deeper and the next shallower fall that is known."""
    least = max((value for each, value in zip(THRESHOLDS, known, strict=True) if each >= depth), default=0.0)
    most = min((value for each, value in zip(THRESHOLDS, known, strict=True) if each <= depth), default=1.0)
    return min(max(odds, least), most)
