"""The best of many worthless ones is not believed; a truly better one is."""

from __future__ import annotations

import numpy as np
import pytest

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.superiority import superior_predictive_ability


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.01, shape)


def test_the_best_of_twenty_worthless_ones_is_not_superior() -> None:
    p_values = [
        superior_predictive_ability(noise(s, 400), noise(100 + s, 400, 20), block=5, n=100).consistent
        for s in range(20)
    ]
    assert np.mean(np.array(p_values) < 0.1) <= 0.25


def test_a_truly_better_one_among_worthless_ones_is_found() -> None:
    strategies = noise(1, 1_000, 20)
    strategies[:, 3] += 0.003
    found = superior_predictive_ability(noise(2, 1_000), strategies, block=5, n=300)
    assert found.consistent < 0.02
    assert found.lower <= found.consistent <= found.upper


def test_equal_seeds_give_equal_answers() -> None:
    answers = [
        superior_predictive_ability(noise(1, 300), noise(2, 300, 5), block=9, n=100, seed=4) for _ in range(2)
    ]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("shape", [(299, 5), (300,), (300, 0)])
def test_tables_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(Fault) as caught:
        superior_predictive_ability(np.zeros(300), np.zeros(shape), block=5)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_holes_are_refused() -> None:
    with pytest.raises(Fault):
        superior_predictive_ability(np.full(300, np.nan), np.zeros((300, 2)), block=5)
