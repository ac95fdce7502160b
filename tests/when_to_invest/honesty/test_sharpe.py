"""The published example, and what luck does to the best of many."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.sharpe import (
    ReturnMoments,
    deflated_sharpe,
    luck_hurdle,
    moments,
    probabilistic_sharpe,
    sharpe_ratio,
)

EXAMPLE = ReturnMoments(sharpe=2.5 / sqrt(250), skewness=-3.0, kurtosis=10.0, count=1250)
"""Bailey and Lopez de Prado (2014), the numerical example."""


def test_the_example_of_the_paper_comes_out() -> None:
    found = deflated_sharpe(EXAMPLE, trials=100, dispersion=sqrt(0.5 / 250))
    assert found.hurdle == pytest.approx(0.1132, abs=5e-5)
    assert found.probability == pytest.approx(0.9004, abs=5e-4)


def test_more_trials_make_the_same_record_less_believable() -> None:
    chances = [deflated_sharpe(EXAMPLE, trials=n, dispersion=0.04).probability for n in (1, 10, 100, 1000)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] == probabilistic_sharpe(EXAMPLE)


def test_the_hurdle_is_what_the_best_of_many_worthless_ones_reaches() -> None:
    tries = np.random.default_rng(0).normal(size=(4_000, 60)).max(axis=1)
    assert luck_hurdle(60, dispersion=1.0) == pytest.approx(tries.mean(), rel=0.02)


def test_losses_in_the_tail_cost_belief() -> None:
    symmetric = ReturnMoments(EXAMPLE.sharpe, 0.0, 3.0, EXAMPLE.count)
    assert probabilistic_sharpe(EXAMPLE, benchmark=0.1) < probabilistic_sharpe(symmetric, benchmark=0.1)


def test_the_probability_is_right_for_normal_returns() -> None:
    chance = np.random.default_rng(1)
    beaten = [
        probabilistic_sharpe(moments(chance.normal(0.05, 1.0, 500)), benchmark=0.05) > 0.9 for _ in range(800)
    ]
    assert np.mean(beaten) == pytest.approx(0.1, abs=0.035)


def test_moments_are_the_usual_ones() -> None:
    values = np.random.default_rng(2).normal(0.1, 2.0, 200_000)
    found = moments(values)
    assert found.sharpe == pytest.approx(0.05, abs=0.01)
    assert (found.skewness, found.kurtosis) == pytest.approx((0.0, 3.0), abs=0.05)
    assert sharpe_ratio(values, bars_per_year=252) == pytest.approx(found.sharpe * sqrt(252))


def test_returns_that_never_vary_have_no_ratio() -> None:
    assert np.isnan(sharpe_ratio(np.zeros(50)))
    with pytest.raises(Fault) as caught:
        moments(np.zeros(50))
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


def test_nothing_is_said_below_thirty_returns() -> None:
    with pytest.raises(Fault) as caught:
        moments(np.arange(29.0))
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


@pytest.mark.parametrize(("trials", "dispersion"), [(0, 0.1), (5, -0.1), (5, float("nan"))])
def test_trials_that_cannot_be_are_refused(trials: int, dispersion: float) -> None:
    with pytest.raises(Fault):
        luck_hurdle(trials, dispersion=dispersion)


def test_a_hole_in_the_record_is_refused() -> None:
    with pytest.raises(Fault) as caught:
        sharpe_ratio(np.array([0.1, np.nan, 0.2]))
    assert caught.value.code is ErrorCode.BAD_ARGUMENT
