"""Learners taught by many series at once, on the terms of the pooled odds that they challenge.

Stage: models, beside the live path. The same rows, thresholds and dates as `pooling`: every tenth
day, falls both absolute and in units of the series' own volatility, a lesson of year Y only from
outcomes known by its end and only for days after it, and families that can be left out. The
instrument's own finished past then decides how far to trust what was learnt elsewhere, as it does
for the odds that recommend. Settings were chosen beforehand and not searched.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from when_to_invest.models.fall_odds import THRESHOLDS, design, log_fall, outcomes
from when_to_invest.models.learners import Challenger, rectified_network
from when_to_invest.models.past import FIRST_ROW, Past, past_mean
from when_to_invest.models.pooling import ABSOLUTE, OWN_UNITS
from when_to_invest.models.prior import EMPTY

if TYPE_CHECKING:
    from when_to_invest.features.daily import DailyBars
    from when_to_invest.features.risk_panel import RiskPanel
    from when_to_invest.market import FloatArray, TimeArray

STRIDE: Final = 10
"""Every tenth day is learnt from: neighbours share almost all of their outcome."""
FEWEST_ROWS: Final = 2000
RISING: Final = (-1,) + (1,) * 8 + (0,) * 5
"""A farther threshold never raises the odds of `pooled_trees`, more volatility never lowers them."""
_TRUST_TRIALS: Final = 200.0
_TYPICAL_LEAN: Final = 0.1
"""Full trust weighs as many non-overlapping horizons whose odds differ by this much, as in `fall_odds`."""

VARIANTS_TRIED: Final = 1
"""Settings compared on unseen instruments before these were kept."""


def pooled_design(panel: RiskPanel, rows: TimeArray, fall: FloatArray, horizon: int) -> FloatArray:
    """Return the features (m, 14) of `rows`, for falls of ln(fall) = `fall` (m,).

    The fall's distance in forecast deviations, then slopes, volatilities against the long run's,
    and past moves, all in units of the series' own volatility.
    """
    import numpy as np

    distance = design(panel, rows, fall, horizon)[:, 1]
    return np.column_stack((distance, panel.slopes[rows], panel.har[rows], panel.up[rows, :3]))


@dataclass(frozen=True, slots=True)
class Exercises:
    """Features (m, 14) of one series, whether the fall came (m,), and the year that told (m,)."""

    features: FloatArray
    fell: FloatArray
    known: TimeArray


def exercises(bars: DailyBars, horizon: int) -> Exercises | None:
    """Return what one series teaches about a horizon; None when its history is too short."""
    import numpy as np

    past = Past(bars, EMPTY)
    rows = np.arange(FIRST_ROW, len(bars) - horizon, STRIDE)
    if not len(rows):
        return None
    worst, panel = np.log1p(past.worst(horizon)[rows]), past.panel
    own = np.exp(panel.volatility[rows] + panel.slopes[rows, -1]) * horizon**0.5
    falls = [np.full(len(rows), -np.log1p(-each)) for each in ABSOLUTE] + [each * own for each in OWN_UNITS]
    return Exercises(
        features=np.vstack([pooled_design(panel, rows, np.log(fall), horizon) for fall in falls]),
        fell=np.concatenate([(worst <= -fall).astype(float) for fall in falls]),
        known=np.tile(past.year[rows + horizon], len(falls)),
    )


@dataclass(frozen=True, slots=True)
class Classroom:
    """What every series of a pool teaches about one horizon."""

    horizon: int
    pupils: Mapping[str, Exercises]

    def until(self, year: int, *, without: Collection[str]) -> tuple[FloatArray, FloatArray]:
        """Return features and labels that were known by the end of `year`."""
        import numpy as np

        taught = [each for name, each in self.pupils.items() if name not in without]
        masks = [each.known <= year for each in taught]
        features = [each.features[mask] for each, mask in zip(taught, masks, strict=True)]
        labels = [each.fell[mask] for each, mask in zip(taught, masks, strict=True)]
        if not features:
            return np.zeros((0, len(RISING))), np.zeros(0)
        return np.concatenate(features), np.concatenate(labels)


def classroom(pool: Mapping[str, DailyBars], horizon: int) -> Classroom:
    """Return the exercises of all series that are long enough."""
    found = {name: exercises(bars, horizon) for name, bars in pool.items()}
    return Classroom(horizon, {name: each for name, each in found.items() if each is not None})


Lessons = Mapping[int, Any]
"""A fitted classifier by year: what was known at its end."""


def learn_lessons(
    challenger: Challenger, taught: Classroom, *, years: Sequence[int], without: Collection[str], seed: int
) -> dict[int, Any]:
    """Return a classifier of each year that has enough to learn from."""
    found = {}
    for year in years:
        features, fell = taught.until(year, without=without)
        if len(fell) >= FEWEST_ROWS and 0.0 < fell.mean() < 1.0:
            found[year] = _fitted(challenger.make(seed, taught.horizon), features, fell)
    return found


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which all arithmetic of the learners uses one thread: sums come out alike."""
    # What is loaded later would not be limited.
    import sklearn.ensemble
    import sklearn.neural_network  # noqa: F401
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


def _fitted(model: Any, features: FloatArray, fell: FloatArray) -> Any:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # A bounded number of steps is part of the network's definition, not a mishap.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features, fell.astype(int))


def taught_odds(
    past: Past, rows: TimeArray, taught: Classroom, *, without: Collection[str], threshold: float, seed: int
) -> dict[str, FloatArray]:
    """Return each pooled challenger's odds of `rows` (increasing), taught by all series but `without`."""
    years = range(int(past.year[0]) - 1, int(past.year[rows[-1]]))
    found = {}
    with one_thread():
        for each in POOLED_CHALLENGERS:
            lessons = learn_lessons(each, taught, years=years, without=without, seed=seed)
            found[each.name] = pooled_challenger_odds(
                past, rows, lessons, horizon=taught.horizon, threshold=threshold
            )
    return found


def pooled_challenger_odds(
    past: Past, rows: TimeArray, lessons: Lessons, *, horizon: int, threshold: float
) -> FloatArray:
    """Return the odds of `rows` (increasing), each by the newest lesson of an earlier year.

    odds = base + trust (learnt - base); without a lesson they are the base rate.
    """
    import numpy as np

    thresholds = sorted({*THRESHOLDS, threshold})
    until = int(rows[-1]) + 1
    came = outcomes(past, horizon, thresholds)[:until]
    base = past_mean(outcomes(past, horizon, thresholds), horizon)[:until]
    learnt = _learnt(past, lessons, thresholds, horizon, until)
    lean = np.where(np.isnan(learnt) | np.isnan(base), 0.0, learnt - base)
    trust = _trust(lean, np.nan_to_num(came - base), horizon)
    # Outcomes of rows before cut - horizon had ended when the day's model was fitted.
    weight = trust[np.maximum(past.cut_of(rows) - horizon - 1, 0)]
    odds: FloatArray = np.clip(base[rows] + weight[:, None] * lean[rows], 0.0, 1.0)
    return odds[:, thresholds.index(threshold)]


def _learnt(
    past: Past, lessons: Lessons, thresholds: Sequence[float], horizon: int, until: int
) -> FloatArray:
    """Return what the lessons say at each row (until, T), NaN before the first."""
    import numpy as np

    said = np.full((until, len(thresholds)), np.nan)
    years = past.year[:until]
    for year in np.unique(years[FIRST_ROW:]).tolist():
        newest = max((known for known in lessons if known < year), default=None)
        if newest is None:
            continue
        rows = FIRST_ROW + np.flatnonzero(years[FIRST_ROW:] == year)
        for column, threshold in enumerate(thresholds):
            features = pooled_design(past.panel, rows, np.full(len(rows), log_fall(threshold)), horizon)
            said[rows, column] = lessons[newest].predict_proba(features)[:, 1]
    return said


def _trust(lean: FloatArray, surprise: FloatArray, horizon: int) -> FloatArray:
    """Return the weight in [0, 1] that would have been best on rows up to each t, all thresholds."""
    import numpy as np

    prior = _TRUST_TRIALS * horizon * _TYPICAL_LEAN**2
    gain, energy = (np.cumsum(each.sum(axis=1)) for each in (lean * surprise, lean**2))
    weight: FloatArray = np.clip((gain + prior) / (energy + prior), 0.0, 1.0)
    return weight


def _trees(seed: int, horizon: int) -> Any:  # noqa: ARG001 - a learner that has no use for it
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=120,
        max_leaf_nodes=8,
        max_bins=64,
        min_samples_leaf=400,
        l2_regularization=10.0,
        monotonic_cst=list(RISING),
        early_stopping=False,
        random_state=seed,
    )


def _network(seed: int, _horizon: int) -> Any:
    return rectified_network(seed, hidden=12, decay=10.0, iterations=120)


POOLED_CHALLENGERS: Final = (
    Challenger(
        name="pooled-trees",
        what="120 boosted trees of 8 leaves on many series; monotone in distance and volatility",
        source="Friedman (2001); scikit-learn HistGradientBoostingClassifier",
        make=_trees,
    ),
    Challenger(
        name="pooled-network",
        what="12 hidden rectified units on many series, standardised features, weight decay 10",
        source="Rumelhart, Hinton and Williams (1986); scikit-learn MLPClassifier",
        make=_network,
    ),
)
