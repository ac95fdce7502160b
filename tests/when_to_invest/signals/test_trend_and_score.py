from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import daily_bars
from when_to_invest.signals.score import percentile_rank, score_factors
from when_to_invest.signals.trend import Trend, TrendState, momentum_windows, read_trend, trend_states


def _trend(distance: float, *, momentum: float) -> Trend:
    state = TrendState.UP if distance > 0 else TrendState.DOWN
    return Trend(state, 100.0, distance, momentum, momentum, momentum)


def test_the_trend_flips_only_beyond_the_band() -> None:
    distance = np.array([np.nan, 0.01, 0.03, 0.01, -0.01, -0.019, -0.021, 0.0, 0.019, 0.021])
    expected = [np.nan, np.nan, 1, 1, 1, 1, -1, -1, -1, 1]
    assert np.array_equal(trend_states(distance), expected, equal_nan=True)


def test_the_trend_reads_price_against_average_and_past() -> None:
    bars = daily_bars(daily_snapshot(600))
    found, close = read_trend(bars), bars.close
    assert found.sma200 == pytest.approx(close[-200:].mean())
    assert found.sma200_distance == pytest.approx(close[-1] / close[-200:].mean() - 1)
    assert found.momentum_3m == pytest.approx(close[-1] / close[-64] - 1)
    assert found.momentum_12m == pytest.approx(close[-1] / close[-253] - 1)
    assert found.rising_count == sum(
        m > 0 for m in (found.momentum_3m, found.momentum_6m, found.momentum_12m)
    )


def test_a_year_is_as_long_as_the_market_is_open() -> None:
    assert momentum_windows(252) == (63, 126, 252)
    assert momentum_windows(365) == (91, 182, 365)


@given(
    distance=st.floats(-0.9, 3),
    momentum=st.floats(-0.9, 3),
    rank=st.floats(0, 1),
    drawdown=st.floats(-0.9, 0),
)
def test_the_score_stays_on_its_scale(distance: float, momentum: float, rank: float, drawdown: float) -> None:
    found = score_factors(_trend(distance, momentum=momentum), volatility_rank=rank, drawdown=drawdown)
    for value in (found.trend, found.momentum, found.calm, found.drawdown, found.total):
        assert -1.0 <= value <= 1.0


def test_a_calm_rising_market_scores_best_and_a_falling_wild_one_worst() -> None:
    best = score_factors(_trend(0.12, momentum=0.1), volatility_rank=0.0, drawdown=0.0)
    worst = score_factors(_trend(-0.12, momentum=-0.1), volatility_rank=1.0, drawdown=-0.3)
    assert best.total == pytest.approx(1.0)
    assert worst.total == pytest.approx(-1.0)


@given(values=st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_a_rank_is_the_share_below_with_ties_counted_half(values: list[int]) -> None:
    newest = values[-1]
    expected = (sum(v < newest for v in values) + 0.5 * sum(v == newest for v in values)) / len(values)
    assert percentile_rank(np.array(values, dtype=float)) == pytest.approx(expected)
