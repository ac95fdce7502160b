"""The sizing over all days at once is the live sizing, day by day."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.evaluation.sizing_history import (
    breaker_caps,
    daily_trend,
    monthly_sigma,
    targets,
    wanted_weights,
)
from when_to_invest.features.daily import daily_bars
from when_to_invest.features.readings import read_chart
from when_to_invest.features.risk_frame import risk_frame
from when_to_invest.risk.market_breakers import combined_cap, read_breakers
from when_to_invest.signals.trend import TrendState, read_trend

ROWS = range(600, 1600, 37)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_trend_and_momenta_are_those_read_live_on_each_day(seed: int) -> None:
    bars = daily_bars(daily_snapshot(1600, seed=seed))
    history = daily_trend(bars)
    for row in ROWS:
        live = read_trend(bars.until(row + 1))
        assert bool(history.is_up[row]) == (live.state is TrendState.UP)
        assert history.rising[row] == live.rising_count
        assert history.distance[row] == live.sma200_distance


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_breaker_caps_are_those_read_live_on_each_day(seed: int) -> None:
    bars = daily_bars(daily_snapshot(1600, seed=seed))
    caps = breaker_caps(bars, risk_frame(bars), first=500)
    live = []
    for row in ROWS:
        known = bars.until(row + 1)
        live.append(combined_cap(read_breakers(read_chart(known, risk_frame(known)), known.session)))
    assert [caps[row] for row in ROWS] == live
    assert min(live) < 1.0


def test_no_weight_changes_when_the_future_does() -> None:
    bars = daily_bars(daily_snapshot(1200, seed=4))
    sigma = np.full(1200, 0.2)
    whole = wanted_weights(daily_trend(bars), sigma)
    for count in (700, 901, 1100):
        assert (
            wanted_weights(daily_trend(bars.until(count)), sigma[:count]).tolist() == whole[:count].tolist()
        )


def test_high_volatility_shrinks_and_no_weight_exceeds_the_budget() -> None:
    trend = daily_trend(daily_bars(daily_snapshot(900)))
    calm, wild = (wanted_weights(trend, np.full(900, sigma)) for sigma in (0.05, 0.60))
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
