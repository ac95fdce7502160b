"""Features that know nothing must score nothing: the evaluation's own canary.

Random-walk features and a label of overlapping returns of an unrelated walk, learnt by nearest
neighbours, which remember everything. Purged and embargoed walking forward must find nothing;
shuffled folds, beside it, find great skill in the same noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.row import Figure, Row, within
from when_to_invest.honesty.splits import walk_forward

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

COUNT: Final = 3_000
HORIZON: Final = 21
WALKS: Final = 12
FOLDS: Final = 5
_NEIGHBOURS: Final = 15


def walks(seed: int) -> tuple[FloatArray, FloatArray]:
    """Return features (n, 5) and labels (n,) that have nothing to do with each other."""
    chance = np.random.default_rng(seed)
    steps = np.cumsum(chance.normal(size=(COUNT, 5)), axis=0)
    price = np.cumsum(chance.normal(size=COUNT + HORIZON))
    return steps, (price[HORIZON:] > price[:-HORIZON]).astype(float)


def _forecast(features: FloatArray, labels: FloatArray, train: Any, test: Any) -> FloatArray:
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(_NEIGHBOURS).fit(features[train], labels[train])
    odds: FloatArray = model.predict_proba(features[test])[:, 1]
    return odds


def _auc(odds: FloatArray, came: FloatArray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(came, odds))


def purged(seed: int) -> float:
    """Return the area under the curve of purged, embargoed walking forward."""
    features, labels = walks(seed)
    splits = walk_forward(COUNT, first=600, step=300, horizon=HORIZON, embargo=HORIZON)
    odds = np.concatenate([_forecast(features, labels, split.train, split.test) for split in splits])
    return _auc(odds, labels[600:])


def shuffled(seed: int) -> float:
    """Return the area under the curve of shuffled folds."""
    features, labels = walks(seed)
    fold, odds = np.random.default_rng(seed).integers(0, FOLDS, COUNT), np.empty(COUNT)
    for number in range(FOLDS):
        test = np.flatnonzero(fold == number)
        odds[test] = _forecast(features, labels, np.flatnonzero(fold != number), test)
    return _auc(odds, labels)


def rows() -> list[Row]:
    """Measure both on the same noise."""
    honest = float(np.mean([purged(seed) for seed in range(WALKS)]))
    return [
        within("noise.purged.auc.least", Figure(honest, "auc", is_lower_better=False), bound=0.45),
        within("noise.purged.auc.most", Figure(honest, "auc"), bound=0.55),
        within("noise.shuffled.auc", Figure(shuffled(0), "auc", is_lower_better=False), bound=0.8),
    ]
