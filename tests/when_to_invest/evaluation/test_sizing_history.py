"""The sizing over many months at once."""

from __future__ import annotations

import numpy as np
import pytest

from when_to_invest.evaluation.sizing_history import (
    monthly_sigma,
    monthly_trend,
    targets,
    wanted_weights,
)


def _months(count: int) -> np.ndarray:
    steps = np.random.default_rng(4).normal(0.005, 0.04, count)
    return 100.0 * np.exp(np.cumsum(steps))


def test_no_weight_changes_when_the_future_does() -> None:
    close, sigma = _months(200), np.full(200, 0.2)
    whole = wanted_weights(monthly_trend(close), sigma)
    for count in (40, 101, 180):
        assert wanted_weights(monthly_trend(close[:count]), sigma[:count]).tolist() == whole[:count].tolist()


def test_high_volatility_shrinks_and_no_weight_exceeds_the_budget() -> None:
    trend = monthly_trend(_months(200))
    calm, wild = (wanted_weights(trend, np.full(200, sigma)) for sigma in (0.05, 0.60))
    assert calm.max() <= 1.0
    assert wild == pytest.approx(calm * 0.25)


def order(wanted: list[float], *, caps: float = 1.0, scale: float = 1.0, growth: float = 1.0) -> np.ndarray:
    """Return the orders of a market that grows by `growth` a bar."""
    count = len(wanted)
    close = 100.0 * growth ** np.arange(count)
    return targets(np.array(wanted), np.full(count, caps), scale=np.full(count, scale), close=close)


def test_a_small_change_is_not_worth_its_cost() -> None:
    ordered = order([np.nan, 0.8, 0.65, 0.75, 0.5, 0.65])
    assert ordered[[1, 4]].tolist() == [0.8, 0.5]
    assert np.isnan(ordered[[0, 2, 3, 5]]).all()


def test_where_volatility_allows_little_a_small_change_counts() -> None:
    assert np.isnan(order([0.2, 0.1])[0])
    assert order([0.2, 0.1], scale=0.2).tolist() == [0.2, 0.1]


def test_a_position_that_grew_too_large_is_cut_back() -> None:
    ordered = order([0.5] * 40, growth=1.05)
    cut = np.flatnonzero(np.isfinite(ordered))
    assert len(cut) > 1
    assert (ordered[cut] == 0.5).all()
    assert np.isfinite(order([0.5] * 40)).sum() == 1


def test_a_breaker_caps_what_is_added_and_never_sells() -> None:
    calm = order([0.5, 0.9])
    assert calm.tolist() == [0.5, 0.9]
    held = targets(np.array([0.8, 0.9]), np.array([1.0, 0.25]), scale=np.ones(2), close=np.ones(2))
    assert held[0] == 0.8
    assert np.isnan(held[1])
    assert order([0.8], caps=0.5)[0] == pytest.approx(0.4)


def test_a_halt_adds_nothing() -> None:
    assert np.isnan(order([1.0], caps=0.0)).all()


def test_monthly_volatility_is_that_of_the_last_twelve_returns() -> None:
    close = np.cumprod(np.append(100.0, 1.0 + 0.03 * np.random.default_rng(5).standard_normal(40)))
    returns = np.diff(np.log(close))
    sigma = monthly_sigma(close)
    assert np.isnan(sigma[:12]).all()
    assert sigma[12] == pytest.approx(np.sqrt((returns[:12] ** 2).mean() * 12))
    assert sigma[-1] == pytest.approx(np.sqrt((returns[-12:] ** 2).mean() * 12))
