"""How good the odds and ranges have been on this instrument, as they would have been given.

Stage: models (pure). Every day of the instrument's past from the first that has enough history
is forecast again with what was known then (dated lessons, refits on ended outcomes) and judged by
what followed. Days whose horizon is not over are left out; with fewer than 30 nothing is said.
Brier (1950) skill is against the past frequency of that day; its interval takes the error of the
mean over blocks of three horizons, because neighbouring outcomes overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.honesty.scores import expected_calibration_error
from when_to_invest.models.fall_odds import THRESHOLDS, fall_odds
from when_to_invest.models.past import Past
from when_to_invest.models.skill import ONE_SIDED_95, Skill, judge

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, TimeArray
    from when_to_invest.models.volatility import VarianceForecasts

FEWEST: Final = 30
"""Forecasts below which no statistic is given."""
FIRST_DAY: Final = 504
"""Days before this one had too little history to be forecast."""
YEARS: Final = 2
"""Of ranges that are judged: the newest that had ended."""
RANGE_LEVEL: Final = 0.9


@dataclass(frozen=True, slots=True)
class Calibration:
    """The record of one horizon; None for what cannot be told from so few forecasts.

    `forecasts`: odds of the fall `threshold` judged, `years` long. `brier_skill` with `low` and
    `high`, between which it lies with probability 0.9; `ece`: expected calibration error.
    `range_days`: 0.9 ranges judged, of which `range_coverage` held.
    """

    threshold: float
    horizon: int
    forecasts: int
    years: float
    brier_skill: float | None
    low: float | None
    high: float | None
    ece: float | None
    range_days: int
    range_coverage: float | None

    @property
    def has_skill(self) -> bool:
        """Whether the whole interval of the skill lies above 0."""
        return self.low is not None and self.low > 0.0


def recent_rows(past: Past, horizon: int) -> TimeArray:
    """Return the rows whose ranges are judged, and those since, the newest last."""
    import numpy as np

    count = len(past.bars)
    first = count - horizon - YEARS * past.bars.days_per_year
    return np.arange(max(first, min(FIRST_DAY, count - 1)), count)


def calibration(past: Past, made: VarianceForecasts, *, horizon: int, threshold: float) -> Calibration:
    """Judge the odds of a fall of `threshold`, one of `THRESHOLDS`, and the ranges in `made`.

    Args:
        past: the instrument's days.
        made: ranges of `recent_rows`.
        horizon: days ahead, of both.
        threshold: a fall, as a ratio of the close.
    """
    import numpy as np

    rows = np.arange(FIRST_DAY, len(past.bars) - horizon)
    held = _held(past, made, horizon)
    skill, ece, count = Skill(0.0, 0.0, 0), None, 0
    if len(rows):
        found, column = fall_odds(past, rows, horizon, THRESHOLDS), THRESHOLDS.index(threshold)
        odds, base, came = (each[:, column] for each in (found.odds, found.base, found.came))
        known = np.isfinite(odds) & np.isfinite(base)
        odds, base, came, count = odds[known], base[known], came[known], int(known.sum())
        skill = judge((odds - came) ** 2, (base - came) ** 2, horizon=horizon)
        ece = expected_calibration_error(odds, came) if count >= FEWEST else None
    margin = ONE_SIDED_95 * abs(skill.brier_skill / skill.t_value) if skill.t_value else None
    return Calibration(
        threshold=threshold,
        horizon=horizon,
        forecasts=count,
        years=count / past.bars.days_per_year,
        brier_skill=None if margin is None else skill.brier_skill,
        low=None if margin is None else skill.brier_skill - margin,
        high=None if margin is None else skill.brier_skill + margin,
        ece=ece,
        range_days=len(held),
        range_coverage=float(held.mean()) if len(held) >= FEWEST else None,
    )


def _held(past: Past, made: VarianceForecasts, horizon: int) -> FloatArray:
    """Return 1 for each judged 0.9 range that held, else 0."""
    import numpy as np

    came = np.expm1(past.ahead(horizon)[made.rows])
    low, high = made.quantiles[:, 0], made.quantiles[:, -1]
    known = np.isfinite(came) & np.isfinite(low) & (made.rows >= FIRST_DAY)
    held: FloatArray = ((low <= came) & (came <= high))[known].astype(np.float64)
    return held
