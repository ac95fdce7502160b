"""Every feature computed on the first m days is bitwise the first m rows of the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Proof
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.features.risk_frame import risk_frame
from when_to_invest.features.steadying import steadied
from when_to_invest.features.variance import daily_variance, log_returns
from when_to_invest.features.windows import (
    change_ratio,
    exponential_mean,
    over_windows,
    rolling_max,
    rolling_mean,
    rolling_sum,
    sum_windows,
)
from when_to_invest.signals.trend import direction_features, trend_states

BARS = daily_bars(daily_snapshot(700))
NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)
WINDOWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sum": lambda x: rolling_sum(x, 5),
    "mean": lambda x: rolling_mean(x, 7),
    "max": lambda x: rolling_max(x, 6),
    "change": lambda x: change_ratio(np.abs(x) + 1.0, 3),
    "exponential": lambda x: exponential_mean(x, 0.9),
    "slow exponential": lambda x: exponential_mean(x, 0.999),
    "steadied": lambda x: steadied(x**2, x),
    "states": lambda x: trend_states(x / 1e6),
}
FEATURES: dict[str, Callable[[DailyBars], np.ndarray]] = {
    "returns": lambda bars: log_returns(bars.close),
    "variance": daily_variance,
    "risk": lambda bars: risk_frame(bars).log_variance,
    "risk of closes": lambda bars: risk_frame(replace(bars, has_range=False)).log_variance,
    "direction": lambda bars: direction_features(bars, risk_frame(bars).log_variance),
}


def _is_prefix(part: np.ndarray, whole: np.ndarray) -> bool:
    return np.array_equal(part, whole[: len(part)], equal_nan=True)


@pytest.mark.parametrize("name", WINDOWS)
@given(values=NUMBERS, data=st.data())
def test_a_window_never_looks_ahead(name: str, values: list[float], data: st.DataObject) -> None:
    array = np.array(values)
    cut = data.draw(st.integers(1, len(array)))
    assert _is_prefix(WINDOWS[name](array[:cut]), WINDOWS[name](array))


@pytest.mark.proof
@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_never_looks_ahead(name: str, proof: Proof) -> None:
    whole = FEATURES[name](BARS)
    for seed in proof.seeds(ci=25, full=500):
        cut = int(np.random.default_rng(seed).integers(300, len(BARS)))
        assert _is_prefix(FEATURES[name](BARS.until(cut)), whole)


@given(values=NUMBERS, window=st.integers(1, 10))
def test_a_rolling_mean_is_the_mean_of_its_window(values: list[float], window: int) -> None:
    found = rolling_mean(np.array(values), window)
    for at in range(len(values)):
        if at + 1 < window:
            assert np.isnan(found[at])
        else:
            assert found[at] == pytest.approx(np.mean(values[at + 1 - window : at + 1]), rel=1e-6, abs=1e-6)


@given(values=NUMBERS, window=st.integers(1, 40))
def test_windows_joined_from_halves_are_whole_windows(values: list[float], window: int) -> None:
    array = np.array(values)
    if len(array) < window:
        assert np.isnan(rolling_max(array, window)).all()
        return
    parts = np.lib.stride_tricks.sliding_window_view(array, window)
    assert np.array_equal(over_windows(array, window, np.maximum), parts.max(axis=1))
    assert np.array_equal(over_windows(array, window, np.minimum), parts.min(axis=1))
    assert sum_windows(array, window) == pytest.approx(parts.sum(axis=1), rel=1e-9, abs=1e-6)


@given(values=NUMBERS, decay=st.floats(0.0, 1.0))
def test_an_exponential_mean_is_its_recursion(values: list[float], decay: float) -> None:
    mean, expected = values[0], []
    for value in values:
        mean = decay * mean + (1.0 - decay) * value
        expected.append(mean)
    assert exponential_mean(np.array(values), decay) == pytest.approx(expected, rel=1e-9, abs=1e-6)
