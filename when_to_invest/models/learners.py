"""The learners that challenge the odds of a fall, and the features they are given.

Stage: models, beside the live path. Settings were chosen beforehand and not searched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from when_to_invest.features.risk_panel import RiskPanel
    from when_to_invest.market import FloatArray

RISING: Final = (1,) * 9 + (0,) * 5
"""Whether each column of `challenger_design` may only raise the odds of a fall (1) or is free (0)."""


@dataclass(frozen=True, slots=True)
class Challenger:
    """A learner: `make(seed, horizon)` returns an unfitted scikit-learn classifier."""

    name: str
    what: str
    source: str
    make: Callable[[int, int], Any]


def challenger_design(panel: RiskPanel) -> FloatArray:
    """Return the features (n, 14): nine of volatility (`RISING`), then five of past returns."""
    import numpy as np

    return np.column_stack((panel.volatility, panel.slopes, panel.har, panel.up[:, :3]))


def _trees(seed: int, horizon: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=60,
        max_leaf_nodes=4,
        min_samples_leaf=max(20, 2 * horizon),
        l2_regularization=10.0,
        monotonic_cst=list(RISING),
        early_stopping=False,
        random_state=seed,
    )


def rectified_network(seed: int, *, hidden: int, decay: float, iterations: int) -> Any:
    """Return an unfitted network of `hidden` units on standardised features, with weight decay."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learner = MLPClassifier((hidden,), solver="lbfgs", alpha=decay, max_iter=iterations, random_state=seed)
    return make_pipeline(StandardScaler(), learner)


def _network(seed: int, _horizon: int) -> Any:
    return rectified_network(seed, hidden=8, decay=1.0, iterations=200)


CHALLENGERS: Final = (
    Challenger(
        name="monotone-trees",
        what="60 boosted trees of 4 leaves; more volatility never lowers the odds",
        source="Friedman (2001); scikit-learn HistGradientBoostingClassifier",
        make=_trees,
    ),
    Challenger(
        name="small-network",
        what="8 hidden rectified units on standardised features, weight decay 1",
        source="Rumelhart, Hinton and Williams (1986); scikit-learn MLPClassifier",
        make=_network,
    ),
)
