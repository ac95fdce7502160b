"""Odds that some close within h days lies a threshold below now.

Stage: models (pure). One logistic regression a horizon, over all thresholds at once: the
threshold enters as its distance in units of recent volatility, so a deeper fall is never
likelier than a shallow one. Beside every value stands the base rate, the past frequency of
such falls; where walk-forward validation shows no gain over it, the base rate is the answer,
and only a gain that is sure at 90 % counts as skill.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.features.risk_frame import WARM_UP
from when_to_invest.models.logit import Logit, fit_logit
from when_to_invest.models.outcomes import worst_fall_ahead
from when_to_invest.models.skill import ONE_SIDED_90, UNPROVEN, Fold, Skill, folds, judge

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

THRESHOLDS: Final = (0.03, 0.05, 0.10)
_FOLDS: Final = 5
_FIRST_FOLD_SHARE: Final = 0.4
"""The first fold begins after this share of the finished rows."""
_FEWEST_EVENTS: Final = 10
_STRENGTH: Final = 1.0
_BAR: Final = ONE_SIDED_90
_RARE: Final = 1e-4
"""Below this base loss a threshold was hardly ever crossed, and says nothing about skill."""


@dataclass(frozen=True, slots=True)
class HorizonOdds:
    """Odds and base rates for each of `THRESHOLDS`, and the skill shown in validation."""

    horizon: int
    values: tuple[float, ...]
    baselines: tuple[float, ...]
    skill: Skill

    @property
    def has_skill(self) -> bool:
        """Whether the odds beat the base rates in validation."""
        return self.skill.is_proven(_BAR)


@dataclass(frozen=True, slots=True)
class _Problem:
    log_variance: FloatArray
    falls: FloatArray
    """Outcomes (n, thresholds): 1, 0, or NaN while unfinished."""
    horizon: int


def drop_odds(log_variance: FloatArray, close: FloatArray, *, horizon: int) -> HorizonOdds:
    """Return the odds at the newest day, learnt from outcomes that had ended by then.

    Args:
        log_variance: (n, 4) as in `RiskFrame`.
        close: (n,) closes in USD.
        horizon: days ahead, at least 1.
    """
    problem = _problem(log_variance, close, horizon)
    finished = len(close) - horizon
    baselines = problem.falls[WARM_UP:finished].mean(axis=0)
    skill = _validate(problem, finished)
    values = baselines
    if skill.brier_skill > 0.0 and (model := _fit(problem, finished)) is not None:
        values = _predict(model, log_variance[-1:])[0]
    return HorizonOdds(
        horizon=horizon,
        values=tuple(float(value) for value in values),
        baselines=tuple(float(value) for value in baselines),
        skill=skill,
    )


def walk_forward(
    log_variance: FloatArray, close: FloatArray, *, horizon: int, fold: Fold
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return odds, base rates and outcomes (rows, thresholds) of one fold, as a backtest would."""
    problem = _problem(log_variance, close, horizon)
    odds, bases = _judge_fold(problem, fold)
    return odds, bases, problem.falls[fold.start : fold.stop]


def coherent(odds: tuple[HorizonOdds, ...]) -> tuple[HorizonOdds, ...]:
    """Raise odds of longer horizons to those of shorter ones: they contain them."""
    result: list[HorizonOdds] = []
    for each in sorted(odds, key=lambda item: item.horizon):
        floor = result[-1].values if result else each.values
        raised = tuple(max(pair) for pair in zip(each.values, floor, strict=True))
        result.append(HorizonOdds(each.horizon, raised, each.baselines, each.skill))
    return tuple(result)


def _problem(log_variance: FloatArray, close: FloatArray, horizon: int) -> _Problem:
    import numpy as np

    worst = worst_fall_ahead(close, horizon)
    columns = [np.where(np.isnan(worst), np.nan, worst <= -threshold) for threshold in THRESHOLDS]
    return _Problem(log_variance, np.column_stack(columns), horizon)


def _design(log_variance: FloatArray) -> FloatArray:
    """Stack rows for every threshold: its log distance in weekly volatilities, and three slopes."""
    import numpy as np

    volatility = 0.5 * log_variance
    week = volatility[:, 1]
    slopes = volatility[:, [0, 2, 3]] - week[:, None]
    return np.vstack([np.column_stack((np.log(at) - week, slopes)) for at in THRESHOLDS])


def _fit(problem: _Problem, until: int) -> Logit | None:
    """Fit on rows before `until`; None when too few falls, or hardly anything else, happened."""
    rows = slice(WARM_UP, until)
    outcomes = problem.falls[rows].T.ravel()
    if not _FEWEST_EVENTS <= outcomes.sum() <= len(outcomes) - _FEWEST_EVENTS:
        return None
    model = fit_logit(_design(problem.log_variance[rows]), outcomes, strength=_STRENGTH)
    # A deeper fall must not become likelier: such a fit has learnt noise.
    return model if float(model.fitted.coef_[0, 0]) < 0.0 else None


def _predict(model: Logit, log_variance: FloatArray) -> FloatArray:
    odds: FloatArray = model.probability(_design(log_variance)).reshape(len(THRESHOLDS), -1).T
    return odds


def _judge_fold(problem: _Problem, fold: Fold) -> tuple[FloatArray, FloatArray]:
    import numpy as np

    rows = slice(fold.start, fold.stop)
    base = problem.falls[WARM_UP : fold.known].mean(axis=0)
    bases = np.tile(base, (fold.stop - fold.start, 1))
    model = _fit(problem, fold.known)
    return (bases if model is None else _predict(model, problem.log_variance[rows])), bases


def _validate(problem: _Problem, finished: int) -> Skill:
    """Judge all thresholds together, each weighted so that its base loss counts alike."""
    import numpy as np

    first = WARM_UP + int((finished - WARM_UP) * _FIRST_FOLD_SHARE)
    if first - problem.horizon <= WARM_UP:
        return UNPROVEN
    parts = folds(first, finished, count=_FOLDS, horizon=problem.horizon)
    judged = [_judge_fold(problem, fold) for fold in parts]
    outcomes = problem.falls[parts[0].start : parts[-1].stop]
    loss = (np.vstack([odds for odds, _ in judged]) - outcomes) ** 2
    base_loss = (np.vstack([base for _, base in judged]) - outcomes) ** 2
    scale = base_loss.mean(axis=0)
    weight = np.where(scale > _RARE, 1.0 / np.maximum(scale, _RARE), 0.0)
    return judge(loss @ weight, base_loss @ weight, horizon=problem.horizon)
