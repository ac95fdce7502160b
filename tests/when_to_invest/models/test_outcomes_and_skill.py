from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from when_to_invest.models.outcomes import log_return_ahead, mean_ahead, worst_fall_ahead
from when_to_invest.models.skill import ONE_SIDED_95, UNPROVEN, folds, judge

PRICES = st.lists(st.floats(1.0, 1e4), min_size=12, max_size=40).map(np.array)


@given(close=PRICES, horizon=st.integers(1, 10))
def test_outcomes_are_what_came_after_and_unknown_where_it_has_not_come_yet(
    close: np.ndarray, horizon: int
) -> None:
    worst, total, mean = (
        worst_fall_ahead(close, horizon),
        log_return_ahead(close, horizon),
        mean_ahead(close, horizon),
    )
    for at in range(len(close)):
        following = close[at + 1 : at + 1 + horizon]
        if len(following) < horizon:
            assert np.isnan([worst[at], total[at], mean[at]]).all()
        else:
            assert worst[at] == pytest.approx(following.min() / close[at] - 1)
            assert total[at] == pytest.approx(np.log(following[-1] / close[at]))
            assert mean[at] == pytest.approx(following.mean())


@given(
    first=st.integers(50, 100),
    length=st.integers(1, 500),
    count=st.integers(1, 8),
    horizon=st.integers(1, 21),
)
def test_no_fold_learns_from_an_outcome_that_ended_in_it(
    first: int, length: int, count: int, horizon: int
) -> None:
    parts = folds(first, first + length, count=count, horizon=horizon)
    for part in parts:
        last_learnt = part.known - 1
        assert last_learnt + horizon < part.start
    judged = [row for part in parts for row in range(part.start, part.stop)]
    assert judged == list(range(first, first + length))


def test_a_clearly_better_forecast_is_proven() -> None:
    generator = np.random.default_rng(0)
    base = 0.2 + 0.05 * generator.random(2000)
    found = judge(base - 0.02, base, horizon=5)
    assert found.brier_skill == pytest.approx(0.02 / base.mean())
    assert judge(base - 0.02 * generator.random(2000), base, horizon=5).is_proven(ONE_SIDED_95)


def test_a_worse_forecast_is_not_proven() -> None:
    base = np.full(2000, 0.2)
    noise = 0.01 * np.random.default_rng(0).random(2000)
    assert not judge(base + noise, base, horizon=5).is_proven(ONE_SIDED_95)


def test_luck_without_skill_is_seldom_proven() -> None:
    proven = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        gains = np.repeat(generator.standard_normal(40), 21)
        proven += judge(1.0 - 0.1 * gains, np.ones(len(gains)), horizon=21).is_proven(ONE_SIDED_95)
    assert proven <= 24


def test_too_few_days_prove_nothing() -> None:
    assert judge(np.zeros(50), np.ones(50), horizon=21) == UNPROVEN
