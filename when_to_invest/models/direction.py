"""Odds that the close after h days lies above the present one: the base rate unless proven.

Stage: models (pure). Direction is next to unforecastable (Welch and Goyal 2008). A pooled, dated
logit on trend, momentum and volatility leans away from the instrument's own past frequency;
odds = base + trust (pooled - base), trust being the least-squares weight on the finished own
past, pulled towards 0. Where the leaning forecasts had not beaten the base rate at 95 % by the
latest refit, the base rate is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.models.newton_logit import logistic
from when_to_invest.models.past import FIRST_ROW, Past, past_mean
from when_to_invest.models.skill import ONE_SIDED_95, UNPROVEN, Skill, judge

if TYPE_CHECKING:
    from when_to_invest.features.risk_panel import RiskPanel
    from when_to_invest.market import FloatArray, TimeArray

_HALF_TRIALS: Final = 8.0
"""Weight of "one half" in the base rate, in non-overlapping horizons."""
_DOUBT_TRIALS: Final = 40.0
_TYPICAL_LEAN: Final = 0.05


@dataclass(frozen=True, slots=True)
class UpForecasts:
    """Rows m: odds, base rates, trust, and the record of the leaning forecasts at each refit."""

    odds: FloatArray
    base: FloatArray
    came: FloatArray
    trust: FloatArray
    skills: tuple[Skill, ...]


@dataclass(frozen=True, slots=True)
class Direction:
    """Today's answer. `value` equals `baseline` unless the skill is proven. `trust`: 0 to 1."""

    value: float
    baseline: float
    trust: float
    skill: Skill

    @property
    def has_skill(self) -> bool:
        """Whether the leaning forecasts had beaten the base rate."""
        return self.skill.is_proven(ONE_SIDED_95)


def newest_direction(past: Past, horizon: int) -> Direction:
    """Return the odds at the newest day of a higher close `horizon` days on."""
    import numpy as np

    found = up_forecasts(past, np.array([len(past.bars) - 1]), horizon)
    return Direction(
        value=float(found.odds[0]),
        baseline=float(found.base[0]),
        trust=float(found.trust[0]),
        skill=found.skills[0],
    )


def up_design(panel: RiskPanel, rows: TimeArray) -> FloatArray:
    """Return the rows' features (m, 6)."""
    import numpy as np

    return np.column_stack((np.ones(len(rows)), panel.up[rows]))


def up_forecasts(past: Past, rows: TimeArray, horizon: int) -> UpForecasts:
    """Return the odds of `rows` (increasing), each from what was known on its day.

    Args:
        past: the instrument's days, with the lessons that they may use.
        rows: (m,) indices of days.
        horizon: days ahead, at least 1.
    """
    import numpy as np

    until = int(rows[-1]) + 1
    ahead = past.ahead(horizon)
    came = np.where(np.isnan(ahead), np.nan, ahead > 0.0)
    base = _base(came, horizon)[:until]
    lean = np.nan_to_num(_pooled(past, horizon, until) - base)
    trust = _trust(lean, np.nan_to_num(came[:until] - base), horizon)
    every = np.arange(until)
    held = trust[np.maximum(past.cut_of(every) - horizon - 1, 0)]
    leaning = np.clip(base + held * lean, 0.0, 1.0)
    cuts = past.cut_of(rows)
    known = {
        cut: _record(leaning, base, came, int(cut) - horizon, horizon) for cut in np.unique(cuts).tolist()
    }
    skills = tuple(known[cut] for cut in cuts.tolist())
    proven = np.array([skill.is_proven(ONE_SIDED_95) for skill in skills])
    return UpForecasts(
        odds=np.where(proven, leaning[rows], base[rows]),
        base=base[rows],
        came=came[rows],
        trust=held[rows],
        skills=skills,
    )


def _base(came: FloatArray, horizon: int) -> FloatArray:
    """Return the past frequency, pulled towards one half; overlapping days count once a horizon."""
    import numpy as np

    share = np.nan_to_num(past_mean(came, horizon), nan=0.5)
    trials = np.maximum(np.arange(len(came)) - FIRST_ROW - horizon + 1, 0) / horizon
    base: FloatArray = (share * trials + 0.5 * _HALF_TRIALS) / (trials + _HALF_TRIALS)
    return base


def _pooled(past: Past, horizon: int, until: int) -> FloatArray:
    import numpy as np

    odds = np.full(until, np.nan)
    rows = slice(past.taught.start, until)
    if rows.start < rows.stop:
        constant, *slopes = past.by_row(horizon, "up")[rows].T
        terms = (slope * column for slope, column in zip(slopes, past.panel.up[rows].T, strict=True))
        odds[rows] = logistic(constant + sum(terms))
    return odds


def _trust(lean: FloatArray, surprise: FloatArray, horizon: int) -> FloatArray:
    import numpy as np

    doubt = _DOUBT_TRIALS * horizon * _TYPICAL_LEAN**2
    weight: FloatArray = np.clip(np.cumsum(lean * surprise) / (np.cumsum(lean**2) + doubt), 0.0, 1.0)
    return weight


def _record(leaning: FloatArray, base: FloatArray, came: FloatArray, finished: int, horizon: int) -> Skill:
    if finished <= FIRST_ROW:
        return UNPROVEN
    rows = slice(FIRST_ROW, finished)
    return judge((leaning[rows] - came[rows]) ** 2, (base[rows] - came[rows]) ** 2, horizon=horizon)
