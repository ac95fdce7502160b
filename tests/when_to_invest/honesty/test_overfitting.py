"""PBO against a slow, plain reading of its definition, and against what it must find."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import rankdata

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.overfitting import Overfitting, probability_of_overfitting


def by_definition(returns: np.ndarray, blocks: int) -> Overfitting:
    """Steps 1 to 5 of the paper, split by split, on the rows themselves."""
    length = len(returns) // blocks
    parts = returns[len(returns) - length * blocks :].reshape(blocks, length, -1)
    chosen, later, share = [], [], []
    for picked in combinations(range(blocks), blocks // 2):
        rest = [block for block in range(blocks) if block not in picked]
        inside = parts[list(picked)].reshape(-1, returns.shape[1])
        outside = parts[rest].reshape(-1, returns.shape[1])
        one, other = inside.mean(0) / inside.std(0), outside.mean(0) / outside.std(0)
        best = int(one.argmax())
        chosen.append(one[best])
        later.append(other[best])
        share.append(rankdata(other)[best] / (returns.shape[1] + 1))
    logits = np.log(np.array(share) / (1 - np.array(share)))
    return Overfitting(
        probability=float((logits <= 1e-12).mean()),
        loss=float((np.array(later) < 0).mean()),
        chosen_sharpe=float(np.median(chosen)),
        later_sharpe=float(np.median(later)),
        slope=float(np.polyfit(chosen, later, 1)[0]),
        configurations=returns.shape[1],
        splits=len(share),
    )


@pytest.mark.parametrize(("blocks", "configurations", "bars"), [(4, 2, 40), (6, 5, 100), (8, 9, 83)])
def test_it_equals_the_definition(blocks: int, configurations: int, bars: int) -> None:
    returns = np.random.default_rng(blocks).normal(0.001, 0.01, (bars, configurations))
    found, expected = probability_of_overfitting(returns, blocks=blocks), by_definition(returns, blocks)
    for name in Overfitting.__slots__:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-9), name


def test_sixteen_blocks_are_halved_in_every_way() -> None:
    returns = np.random.default_rng(0).normal(size=(320, 3))
    assert probability_of_overfitting(returns).splits == 12_870


def test_the_best_of_pure_noise_is_no_better_than_a_coin_later() -> None:
    found = [
        probability_of_overfitting(np.random.default_rng(seed).normal(size=(480, 40)), blocks=8)
        for seed in range(30)
    ]
    # Within one record the halves mirror each other, which pushes noise above one half.
    assert 0.4 < np.mean([each.probability for each in found]) < 0.85
    assert np.mean([each.chosen_sharpe for each in found]) > 3 * abs(
        np.mean([each.later_sharpe for each in found])
    )


def test_a_truly_better_configuration_is_recognised() -> None:
    returns = np.random.default_rng(1).normal(0.0, 0.01, (2_000, 30))
    returns[:, 7] += 0.004
    found = probability_of_overfitting(returns)
    assert found.probability < 0.01
    assert found.loss == 0.0


def test_a_configuration_that_never_trades_is_neither_best_nor_a_defect() -> None:
    returns = np.random.default_rng(2).normal(0.002, 0.01, (400, 3))
    returns[:, 1] = 0.0
    assert 0.0 <= probability_of_overfitting(returns, blocks=8).probability <= 1.0


def test_equal_configurations_share_their_rank() -> None:
    column = np.random.default_rng(3).normal(size=(160, 1))
    assert probability_of_overfitting(np.hstack([column] * 5), blocks=8).probability == 1.0


@pytest.mark.parametrize(
    ("returns", "blocks", "code"),
    [
        (np.zeros((100, 1)), 16, ErrorCode.BAD_ARGUMENT),
        (np.full((100, 2), np.nan), 16, ErrorCode.BAD_ARGUMENT),
        (np.zeros((100, 2)), 7, ErrorCode.BAD_ARGUMENT),
        (np.zeros((100, 2)), 22, ErrorCode.BAD_ARGUMENT),
        (np.zeros((20, 2)), 16, ErrorCode.HISTORY_TOO_SHORT),
    ],
)
def test_tables_that_cannot_be_judged_are_refused(returns: np.ndarray, blocks: int, code: ErrorCode) -> None:
    with pytest.raises(Fault) as caught:
        probability_of_overfitting(returns, blocks=blocks)
    assert caught.value.code is code
