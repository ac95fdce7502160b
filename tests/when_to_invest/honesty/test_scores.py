"""Scores against hand-computed figures and against what they must reward."""

from __future__ import annotations

import numpy as np
import pytest

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty import scores


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_the_brier_score_is_the_mean_squared_gap() -> None:
    assert scores.brier_score(column(0.8, 0.3), column(1, 0)) == pytest.approx((0.04 + 0.09) / 2)


def test_repeating_the_baseline_has_no_skill_and_knowing_the_outcome_has_all() -> None:
    base, came = column(0.2, 0.2, 0.2), column(0, 1, 0)
    assert scores.brier_skill(base, base, came) == 0.0
    assert scores.brier_skill(came, base, came) == 1.0


def test_skill_against_a_perfect_baseline_is_unknown() -> None:
    came = column(0, 1)
    assert np.isnan(scores.brier_skill(column(0.5, 0.5), came, came))


def test_climatology_uses_only_outcomes_that_had_ended() -> None:
    came = column(1, 0, 0, 1, 1, 1)
    base = scores.climatology(came, horizon=2, first=3)
    assert np.isnan(base[:3]).all()
    assert base[3:] == pytest.approx([1 / 2, 1 / 3, 2 / 4])


def test_climatology_does_not_change_when_the_future_does() -> None:
    came = np.random.default_rng(1).integers(0, 2, 200).astype(float)
    other = came.copy()
    other[150:] = 1.0 - other[150:]
    known = slice(30, 150 + 21)
    first = scores.climatology(came, horizon=21, first=30)
    assert np.array_equal(first[known], scores.climatology(other, horizon=21, first=30)[known])


def test_climatology_needs_a_finished_outcome() -> None:
    with pytest.raises(Fault) as caught:
        scores.climatology(column(1, 0, 1), horizon=2, first=1)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_the_calibration_error_weighs_each_bin_by_its_rows() -> None:
    odds, came = column(0.05, 0.05, 0.95, 1.0), column(0, 1, 1, 1)
    assert scores.expected_calibration_error(odds, came) == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)


def test_calibrated_odds_have_a_small_error_and_shifted_ones_a_large_one() -> None:
    chance = np.random.default_rng(2)
    odds = chance.uniform(0.1, 0.8, 20_000)
    came = (chance.random(20_000) < odds).astype(float)
    assert scores.expected_calibration_error(odds, came) < 0.015
    assert scores.expected_calibration_error(odds + 0.2, came) == pytest.approx(0.2, abs=0.015)


def test_odds_above_one_are_refused() -> None:
    with pytest.raises(Fault):
        scores.expected_calibration_error(column(1.2), column(1))


def test_the_pinball_loss_is_asymmetric() -> None:
    assert scores.pinball_loss(column(0.0), column(1.0), level=0.9) == pytest.approx(0.9)
    assert scores.pinball_loss(column(0.0), column(-1.0), level=0.9) == pytest.approx(0.1)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.9])
def test_the_pinball_loss_is_least_at_the_true_quantile(level: float) -> None:
    came = np.random.default_rng(3).normal(size=5_000)
    guesses = np.linspace(-2.5, 2.5, 101)
    losses = [scores.pinball_loss(np.full(len(came), guess), came, level=level) for guess in guesses]
    assert guesses[int(np.argmin(losses))] == pytest.approx(np.quantile(came, level), abs=0.06)


def test_qlike_is_zero_for_the_truth_and_punishes_understating_more() -> None:
    came = column(2.0, 3.0)
    assert scores.qlike(came, came) == 0.0
    assert scores.qlike(came / 2, came) == pytest.approx(2 - np.log(2) - 1)
    assert scores.qlike(came / 2, came) > scores.qlike(came * 2, came)


def test_qlike_refuses_a_variance_of_zero() -> None:
    with pytest.raises(Fault):
        scores.qlike(column(0.0), column(1.0))


def test_coverage_counts_the_bounds_as_inside() -> None:
    assert scores.coverage(column(0, 0, 0, 0), column(1, 1, 1, 1), column(0, 1, 2, -1)) == 0.5


def test_the_worst_window_is_found_wherever_it_lies() -> None:
    came = np.zeros(100)
    came[40:45] = 9.0
    low, high = np.full(100, -1.0), np.full(100, 1.0)
    assert scores.rolling_worst_coverage(low, high, came, window=10) == pytest.approx(0.5)
    assert scores.rolling_worst_coverage(low, high, came, window=100) == pytest.approx(0.95)
    with pytest.raises(Fault) as caught:
        scores.rolling_worst_coverage(low, high, came, window=101)
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


@pytest.mark.parametrize("bad", [column(), column(np.nan), column(np.inf), column(0.5, 0.5)])
def test_rows_without_a_basis_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(Fault) as caught:
        scores.brier_score(bad, column(1.0))
    assert caught.value.code is ErrorCode.BAD_ARGUMENT
