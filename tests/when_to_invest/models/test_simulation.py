"""One set of paths answers every question, the same way each time and without contradiction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.models.garch import GarchParameters
from when_to_invest.models.simulation import (
    NO_DRIFT,
    Drift,
    Outlook,
    Paths,
    outlook,
    shrunk_drift,
    simulate,
    uniform_draws,
    variance_by_day,
)

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

MODEL = GarchParameters(3e-4, 2e-6, 0.03, 0.12, 0.88, 7.0, 1e-4)
THRESHOLDS = (0.01, 0.03, 0.05, 0.10, 0.2)
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def _shocks(seed: int, count: int = 1500) -> FloatArray:
    drawn = np.random.default_rng(seed).standard_t(5, count)
    return np.sort((drawn - drawn.mean()) / drawn.std())


def _start(seed: int = 0, *, variance: float = 1e-4, count: int = 1500) -> Outlook:
    return Outlook(MODEL, variance, _shocks(seed, count))


def _naive(
    start: Outlook, draws: FloatArray, *, variance: FloatArray | None = None, drift: float = 0.0
) -> list[list[float]]:
    """Walk the paths one after another in plain Python, days along the outer list."""
    p, shocks = start.parameters, [float(z) for z in start.shocks]
    downside = sum(z * z for z in shocks if z < 0) / len(shocks)
    expected, paths = [start.variance], []
    for _ in range(1, len(draws)):
        expected.append(p.omega + (p.alpha + p.gamma * downside + p.beta) * expected[-1])
    for column in draws.T:
        v, price, path = start.variance, 1.0, []
        for day, rank in enumerate(column):
            z = shocks[math.floor(rank * len(shocks))]
            scale = 1.0 if variance is None else math.sqrt(variance[day] / expected[day])
            price *= max(0.0, 1.0 + drift + scale * math.sqrt(v) * z)
            path.append(price)
            e = math.sqrt(v) * z
            v = p.omega + p.alpha * e * e + (p.gamma * e * e if e < 0 else 0.0) + p.beta * v
        paths.append(path)
    return np.array(paths).T.tolist()


@given(
    seed=st.integers(0, 1000),
    n_paths=st.integers(1, 6),
    horizon=st.integers(1, 8),
    level=st.none() | st.floats(1e-6, 1e-2),
    drift=st.floats(-0.01, 0.01),
)
def test_the_kernel_walks_as_plain_python_does(
    seed: int, n_paths: int, horizon: int, level: float | None, drift: float
) -> None:
    start = _start(seed, count=7)
    draws = uniform_draws(seed=seed, n_paths=n_paths, horizon=horizon)
    variance = None if level is None else np.linspace(level, 2 * level, horizon)
    found = simulate(start, variance=variance, drift=Drift(drift, 0.0), draws=draws)
    expected = _naive(start, draws, variance=variance, drift=drift)
    np.testing.assert_allclose(found.prices, expected, rtol=1e-12)


@given(seed=st.integers(0, 1000), variance=st.floats(1e-6, 2e-3))
def test_odds_and_quantiles_never_contradict_each_other(seed: int, variance: float) -> None:
    draws = uniform_draws(seed=seed, n_paths=300, horizon=30)
    paths = simulate(_start(seed, variance=variance), draws=draws)
    odds = np.array([[paths.fall_odds(x, days) for x in THRESHOLDS] for days in (1, 5, 21, 30)])
    assert (np.diff(odds, axis=0) >= 0.0).all()
    assert (np.diff(odds, axis=1) <= 0.0).all()
    for days in (1, 5, 30):
        quantiles = paths.return_quantiles(days, LEVELS)
        assert (np.diff(quantiles) >= 0.0).all()
        assert quantiles[0] >= -1.0
        ends_up = float((paths.prices[days - 1] > 1.0).mean())
        assert paths.up_odds(days) == ends_up
        for x in THRESHOLDS:
            ends_below = float((paths.prices[days - 1] <= 1.0 - x).mean())
            assert paths.fall_odds(x, days) >= ends_below
    for x in THRESHOLDS:
        days_taken = paths.passage_quantiles(x, LEVELS).tolist()
        assert days_taken == sorted(days_taken)
        assert days_taken[0] >= 1.0


def test_the_first_passage_says_when_the_odds_reach_a_level() -> None:
    paths = simulate(_start(variance=4e-4))
    for x in (0.03, 0.05, 0.10):
        for level in (0.1, 0.25, 0.5, 0.75, 0.99):
            day = float(paths.passage_quantiles(x, (level,))[0])
            if math.isinf(day):
                assert paths.fall_odds(x, 63) < level
            else:
                assert paths.fall_odds(x, int(day)) >= level
                assert day == 1.0 or paths.fall_odds(x, int(day) - 1) < level
    assert math.isinf(float(paths.passage_quantiles(0.5, (0.99,))[0]))


def test_a_fall_counts_even_when_the_price_comes_back() -> None:
    paths = Paths(np.array([[0.94, 1.01], [1.02, 0.99]]), NO_DRIFT)
    assert paths.fall_odds(0.05, 2) == 0.5
    assert paths.up_odds(2) == 0.5
    assert list(paths.passage_quantiles(0.05, (0.5, 0.6))) == [1.0, math.inf]


def test_without_drift_the_price_is_a_martingale() -> None:
    paths = simulate(_start(), draws=uniform_draws(seed=3, n_paths=40_000, horizon=63))
    for days in (1, 21, 63):
        cost = paths.waiting_cost(days)
        assert abs(cost.cost_bps) < 3.5 * cost.error_bps
        assert 0.0 < cost.error_bps < 10.0


def test_a_drift_is_what_waiting_costs_and_its_error_counts() -> None:
    draws = uniform_draws(seed=3, n_paths=40_000, horizon=63)
    cost = simulate(_start(), drift=Drift(4e-4, 2e-4), draws=draws).waiting_cost(63)
    assert cost.cost_bps == pytest.approx(1e4 * (1.0004**63 - 1.0), abs=3.5 * 5.0)
    assert cost.error_bps == pytest.approx(63 * 2.0, rel=0.02)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    uniform_draws.cache_clear()
    first = simulate(_start(), draws=uniform_draws(seed=5)).prices.tobytes()
    uniform_draws.cache_clear()
    assert simulate(_start(), draws=uniform_draws(seed=5)).prices.tobytes() == first
    assert simulate(_start(), draws=uniform_draws(seed=6)).prices.tobytes() != first


def test_a_longer_horizon_continues_the_same_paths() -> None:
    near = simulate(_start(), draws=uniform_draws(seed=5, n_paths=50, horizon=5))
    far = simulate(_start(), draws=uniform_draws(seed=5, n_paths=50, horizon=21))
    assert near.prices.tobytes() == far.prices[:5].tobytes()


def test_common_numbers_make_more_variance_more_danger() -> None:
    odds = [
        simulate(_start(), variance=np.full(63, level)).fall_odds(0.05, 21)
        for level in np.linspace(2e-5, 8e-4, 30)
    ]
    assert odds == sorted(odds)


def test_the_paths_have_the_variance_that_was_forecast() -> None:
    wanted = variance_by_day({5: 4e-4, 21: 2e-4, 63: 1.5e-4}, horizon=63)
    draws = uniform_draws(seed=1, n_paths=40_000, horizon=63)
    prices = simulate(_start(), variance=wanted, draws=draws).prices
    before = np.vstack((np.ones(prices.shape[1]), prices[:-1]))
    came = ((prices / before - 1.0) ** 2).mean(axis=1)
    for days in (5, 21, 63):
        assert came[:days].mean() == pytest.approx(wanted[:days].mean(), rel=0.03)


@given(near=st.floats(1e-6, 1e-2), ratio=st.floats(0.5, 4.0), far_ratio=st.floats(0.8, 3.0))
def test_daily_variances_have_the_means_asked_for(near: float, ratio: float, far_ratio: float) -> None:
    means = {5: near, 21: near * ratio, 63: near * ratio * far_ratio}
    curve = variance_by_day(means, horizon=63)
    assert (curve > 0.0).all()
    for days, mean in means.items():
        assert curve[:days].mean() == pytest.approx(mean)


def test_next_to_no_variance_between_two_horizons_is_lifted() -> None:
    curve = variance_by_day({5: 1e-3, 21: 1e-4}, horizon=30)
    assert curve[-1] == pytest.approx(1e-5)
    assert len(curve) == 30


def test_the_drift_is_pulled_towards_nothing() -> None:
    returns = np.full(2800, 1e-3) + np.tile([0.01, -0.01], 1400)
    drift = shrunk_drift(returns)
    assert drift.ratio == pytest.approx(0.5e-3)
    assert drift.error == pytest.approx(0.01 / math.sqrt(5600))


def test_the_outlook_knows_only_the_past() -> None:
    returns = np.random.default_rng(0).normal(3e-4, 0.01, 900)
    start = outlook(returns[:800], MODEL)
    assert list(start.shocks) == sorted(start.shocks)
    assert start.expected(3)[0] == start.variance
    returns[800:] = 9.0
    assert outlook(returns[:800], MODEL).shocks.tobytes() == start.shocks.tobytes()


def test_days_beyond_the_paths_and_variances_that_do_not_fit_are_refused() -> None:
    paths = simulate(_start(), draws=uniform_draws(seed=0, n_paths=3, horizon=5))
    refusals = (
        lambda: paths.up_odds(6),
        lambda: paths.fall_odds(0.05, 0),
        lambda: simulate(_start(), variance=np.full(5, 1e-4)),
        lambda: variance_by_day({}, horizon=5),
        lambda: variance_by_day({5: 0.0}, horizon=5),
    )
    for refused in refusals:
        with pytest.raises(Fault) as fault:
            refused()
        assert fault.value.code is ErrorCode.BAD_ARGUMENT


def test_a_stretched_path_moves_so_many_times_as_far_and_is_a_martingale_still() -> None:
    draws = uniform_draws(seed=3, n_paths=40_000, horizon=21)
    plain = simulate(_start(), draws=draws)
    wide = simulate(_start(), draws=draws, stretch=np.full(40_000, 3.0))
    assert wide.prices[0] - 1.0 == pytest.approx(3.0 * (plain.prices[0] - 1.0))
    cost = wide.waiting_cost(21)
    assert abs(cost.cost_bps) < 3.5 * cost.error_bps
    same = simulate(_start(), draws=draws, stretch=np.ones(40_000))
    assert same.prices.tobytes() == plain.prices.tobytes()


def test_first_days_are_those_on_which_the_odds_grow() -> None:
    paths = simulate(_start(variance=4e-4))
    first = paths.passages((0.03, 0.05, 0.10))
    for x, days in zip((0.03, 0.05, 0.10), first, strict=True):
        assert [float((days <= day).mean()) for day in range(1, 64)] == [
            paths.fall_odds(x, day) for day in range(1, 64)
        ]
    assert (first[0] <= first[1]).all()
    assert (first[1] <= first[2]).all()
