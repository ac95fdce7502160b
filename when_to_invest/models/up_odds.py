"""Odds that the close after h days lies above the present one: mostly the base rate.

Stage: models (pure). Direction of one index is next to unforecastable (Welch and Goyal
2008), so the answer is the past frequency, shrunk towards one half by its effective sample,
unless a five-feature logistic regression, itself shrunk, beat it in purged walk-forward
validation. The shrinkage is chosen on the earlier half of the validation days and judged
on the later half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.features.risk_frame import WARM_UP
from when_to_invest.models.logit import fit_logit
from when_to_invest.models.outcomes import log_return_ahead
from when_to_invest.models.skill import ONE_SIDED_95, UNPROVEN, Fold, Skill, folds, judge

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_FOLDS: Final = 6
_FIRST_FOLD_SHARE: Final = 0.4
_STRENGTH: Final = 0.02
_PRIOR_TRIALS: Final = 8.0
"""Weight of "one half", in non-overlapping horizons."""
_FEWEST_EITHER: Final = 30
_BAR: Final = ONE_SIDED_95
"""That direction cannot be forecast is the prior, so 95 % is asked for."""


@dataclass(frozen=True, slots=True)
class Direction:
    """`value` equals `baseline` unless the skill is proven. `shrinkage`: 0 trusts nothing."""

    value: float
    baseline: float
    shrinkage: float
    skill: Skill

    @property
    def has_skill(self) -> bool:
        """Whether the forecast beat the base rate in validation."""
        return self.skill.is_proven(_BAR)


def up_odds(features: FloatArray, close: FloatArray, *, horizon: int) -> Direction:
    """Return the odds at the newest day.

    Args:
        features: (n, k), row t known at the close of day t, without NaN from `WARM_UP` on.
        close: (n,) closes in USD.
        horizon: days ahead, at least 1.
    """
    import numpy as np

    ahead = log_return_ahead(close, horizon)
    ups = np.where(np.isnan(ahead), np.nan, ahead > 0.0)
    finished = len(close) - horizon
    baseline = _base_rate(ups[WARM_UP:finished], horizon)
    shrinkage, skill = _validate(features, ups, finished, horizon)
    value = baseline
    if skill.is_proven(_BAR):
        rows = slice(WARM_UP, finished)
        model = fit_logit(features[rows], ups[rows], strength=_STRENGTH)
        value += shrinkage * (float(model.probability(features[-1:])[0]) - baseline)
    return Direction(value=value, baseline=baseline, shrinkage=shrinkage, skill=skill)


def _base_rate(ups: FloatArray, horizon: int) -> float:
    """Return the frequency with `_PRIOR_TRIALS` of prior; overlapping days count once a horizon."""
    trials = len(ups) / horizon
    share = float(ups.mean()) if len(ups) else 0.5
    return (share * trials + 0.5 * _PRIOR_TRIALS) / (trials + _PRIOR_TRIALS)


def _forecast(
    features: FloatArray, ups: FloatArray, fold: Fold, horizon: int
) -> tuple[FloatArray, FloatArray]:
    import numpy as np

    known = ups[WARM_UP : fold.known]
    base = np.full(fold.stop - fold.start, _base_rate(known, horizon))
    if not _FEWEST_EITHER <= known.sum() <= len(known) - _FEWEST_EITHER:
        return base, base
    model = fit_logit(features[WARM_UP : fold.known], known, strength=_STRENGTH)
    return model.probability(features[fold.start : fold.stop]), base


def _validate(features: FloatArray, ups: FloatArray, finished: int, horizon: int) -> tuple[float, Skill]:
    """Return the shrinkage learnt on the earlier folds, and its skill on the later ones."""
    import numpy as np

    first = WARM_UP + int((finished - WARM_UP) * _FIRST_FOLD_SHARE)
    if first - horizon <= WARM_UP:
        return 0.0, UNPROVEN
    parts = folds(first, finished, count=_FOLDS, horizon=horizon)
    forecasts = [_forecast(features, ups, fold, horizon) for fold in parts]
    half = len(parts) // 2
    middle = parts[half].start
    early = [np.concatenate(column) for column in zip(*forecasts[:half], strict=True)]
    late = [np.concatenate(column) for column in zip(*forecasts[half:], strict=True)]
    # The outcomes of the last days before `middle` end after it, so they are left out.
    purged = slice(0, max(0, len(early[0]) - horizon))
    shrinkage = _best_shrinkage(early[0][purged], early[1][purged], ups[first:middle][purged])
    outcomes = ups[middle:finished]
    mixed = late[1] + shrinkage * (late[0] - late[1])
    return shrinkage, judge((mixed - outcomes) ** 2, (late[1] - outcomes) ** 2, horizon=horizon)


def _best_shrinkage(odds: FloatArray, base: FloatArray, outcomes: FloatArray) -> float:
    """Return the weight in [0, 1] on `odds - base` with the least squared error."""
    import numpy as np

    lean = odds - base
    energy = float(lean @ lean)
    return float(np.clip(lean @ (outcomes - base) / energy, 0.0, 1.0)) if energy > 0.0 else 0.0
