"""Rotation tells timing from holding."""

from __future__ import annotations

import numpy as np
import pytest

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.timing_null import circular_shift_null


def by_rotation(weights: np.ndarray, returns: np.ndarray) -> np.ndarray:
    paths = [np.roll(weights, shift) * returns for shift in range(len(returns))]
    return np.array([path.mean() / path.std() for path in paths])


def test_it_equals_rotating_by_hand() -> None:
    chance = np.random.default_rng(0)
    weights, returns = (chance.random(97) > 0.4).astype(float), chance.normal(0.001, 0.01, 97)
    slow, found = by_rotation(weights, returns), circular_shift_null(weights, returns, least_shift=3)
    null = slow[3:95]
    assert found.rotations == len(null)
    assert found.sharpe == pytest.approx(slow[0])
    assert (found.null_mean, found.null_deviation) == pytest.approx((null.mean(), null.std()))
    assert found.p_value == pytest.approx((1 + (null >= slow[0]).sum()) / (1 + len(null)))


def test_knowing_the_future_is_seen_as_timing() -> None:
    returns = np.random.default_rng(1).normal(0.0, 0.01, 500)
    assert circular_shift_null((returns > 0).astype(float), returns).p_value < 0.01


def test_always_holding_is_never_timing() -> None:
    returns = np.random.default_rng(2).normal(0.001, 0.01, 500)
    assert circular_shift_null(np.ones(500), returns).p_value == 1.0


def test_untimed_positions_are_seldom_called_timed() -> None:
    chance = np.random.default_rng(3)
    p_values = [
        circular_shift_null(
            np.repeat(chance.integers(0, 2, 30), 20).astype(float), chance.normal(0, 1, 600)
        ).p_value
        for _ in range(200)
    ]
    assert np.mean(np.array(p_values) < 0.1) == pytest.approx(0.1, abs=0.06)


def test_positions_of_zero_have_no_answer() -> None:
    assert np.isnan(circular_shift_null(np.zeros(100), np.ones(100)).p_value)


@pytest.mark.parametrize(
    ("weights", "shift", "code"),
    [
        (np.ones(99), 1, ErrorCode.BAD_ARGUMENT),
        (np.full(100, np.nan), 1, ErrorCode.BAD_ARGUMENT),
        (np.ones(100), 40, ErrorCode.HISTORY_TOO_SHORT),
        (np.ones(100), 0, ErrorCode.HISTORY_TOO_SHORT),
    ],
)
def test_what_cannot_be_rotated_is_refused(weights: np.ndarray, shift: int, code: ErrorCode) -> None:
    with pytest.raises(Fault) as caught:
        circular_shift_null(weights, np.ones(100), least_shift=shift)
    assert caught.value.code is code
