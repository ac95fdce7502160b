"""The noise canary: features that know nothing must score nothing, unless the evaluation lies."""

from __future__ import annotations

import numpy as np
import pytest

from when_to_invest.honesty.splits import combinatorial, walk_forward

COUNT, HORIZON = 3_000, 21


def walks(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random-walk features and a label of overlapping future returns of an unrelated walk."""
    chance = np.random.default_rng(seed)
    steps = np.cumsum(chance.normal(size=(COUNT, 5)), axis=0)
    price = np.cumsum(chance.normal(size=COUNT + HORIZON))
    return steps, (price[HORIZON:] > price[:-HORIZON]).astype(int)


def auc(odds: np.ndarray, came: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(came, odds))


def forecast(features: np.ndarray, labels: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(15)
    return model.fit(features[train], labels[train]).predict_proba(features[test])[:, 1]


def purged(seed: int) -> float:
    features, labels = walks(seed)
    splits = walk_forward(COUNT, first=600, step=300, horizon=HORIZON, embargo=HORIZON)
    odds = np.concatenate([forecast(features, labels, split.train, split.test) for split in splits])
    return auc(odds, labels[600:])


def shuffled(seed: int) -> float:
    features, labels = walks(seed)
    fold = np.random.default_rng(seed).integers(0, 5, COUNT)
    odds = np.empty(COUNT)
    for number in range(5):
        odds[fold == number] = forecast(
            features, labels, np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        )
    return auc(odds, labels)


def test_noise_has_no_skill_under_purged_walking_forward() -> None:
    assert 0.45 <= np.mean([purged(seed) for seed in range(12)]) <= 0.55


def test_shuffled_folds_find_great_skill_in_the_same_noise() -> None:
    assert shuffled(0) > 0.8


def test_noise_has_no_skill_on_any_path_of_the_purged_combinations() -> None:
    features, labels = walks(0)
    plan = combinatorial(COUNT, groups=5, held_out=2, horizon=HORIZON, embargo=HORIZON)
    odds = plan.assemble([forecast(features, labels, split.train, split.test) for split in plan.splits])
    assert np.mean([auc(path, labels) for path in odds]) == pytest.approx(0.5, abs=0.06)
