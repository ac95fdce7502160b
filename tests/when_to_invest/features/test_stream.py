"""Streamed features are the batch's, bit for bit, and what textbooks say they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Proof
from tests.strategies.trials import walk
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.features.stream import FeatureStream, batch_features
from when_to_invest.features.stream_layout import NAMES, NEED_RANGE, NEED_VOLUME, PERIODS
from when_to_invest.market import BarSeries

BARS = walk(6_000, seed=11).bars
FEATURES = batch_features(BARS)
AT = {name: column for column, name in enumerate(NAMES)}


def rows(bars: BarSeries) -> list[tuple[float, ...]]:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def pushed(stream: FeatureStream, bars: BarSeries) -> np.ndarray:
    return np.array([stream.push(*row).copy() for row in rows(bars)])


def feature(name: str) -> np.ndarray:
    return FEATURES[:, AT[name]]


def test_there_are_more_than_thirty_features_of_different_names() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 31


def test_a_hundred_thousand_ticks_stream_as_they_batch() -> None:
    bars = walk(100_000, seed=12).bars
    assert np.array_equal(pushed(FeatureStream(), bars), batch_features(bars), equal_nan=True)


@pytest.mark.proof
def test_streams_and_batches_of_any_walk_agree(proof: Proof) -> None:
    for seed in proof.seeds(ci=2, full=50):
        bars = walk(5_000, seed=seed).bars
        assert np.array_equal(pushed(FeatureStream(), bars), batch_features(bars), equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_feature_is_silent_for_four_periods_and_then_always_speaks(name: str) -> None:
    first = 4 * PERIODS[name] - 1
    assert np.isnan(feature(name)[:first]).all()
    assert np.isfinite(feature(name)[first:]).all()


@given(cut=st.integers(0, 1_500))
def test_a_truncated_series_has_the_first_features_of_the_whole(cut: int) -> None:
    assert np.array_equal(batch_features(BARS.between(0, cut)), FEATURES[:cut], equal_nan=True)


@given(cut=st.integers(0, 1_500))
def test_a_restored_stream_goes_on_bit_for_bit(cut: int) -> None:
    stream = FeatureStream()
    pushed(stream, BARS.between(0, cut))
    restored = FeatureStream.restored(stream.snapshot())
    assert restored.count == cut
    assert np.array_equal(
        pushed(restored, BARS.between(cut, cut + 20)), FEATURES[cut : cut + 20], equal_nan=True
    )


@given(place=st.integers(0, 2_000), bit=st.integers(0, 7))
def test_a_damaged_state_is_never_taken_up(place: int, bit: int) -> None:
    written = bytearray(FeatureStream().snapshot())
    written[place] ^= 1 << bit
    with pytest.raises(Fault) as caught:
        FeatureStream.restored(bytes(written))
    assert caught.value.code is ErrorCode.CORRUPT_DATA


@pytest.mark.parametrize(
    "bar",
    [
        (1.0, 2.0, 0.5, float("nan"), 1.0),
        (float("nan"), 2.0, 0.5, 1.0, 1.0),
        (1.0, float("inf"), 0.5, 1.0, 1.0),
        (1.0, 2.0, 0.0, 1.0, 1.0),
        (1.0, 0.9, 0.5, 1.0, 1.0),
        (1.0, 2.0, 1.5, 1.0, 1.0),
        (1.0, 2.0, 0.5, 1.0, -1.0),
        (1.0, 2.0, 0.5, 1.0, float("nan")),
    ],
)
def test_an_unsound_bar_is_refused_and_changes_nothing(bar: tuple[float, ...]) -> None:
    stream = FeatureStream()
    pushed(stream, BARS.between(0, 50))
    before = stream.snapshot()
    with pytest.raises(Fault) as caught:
        stream.push(*bar)
    assert caught.value.code is ErrorCode.CORRUPT_DATA
    assert stream.snapshot() == before


def test_a_batch_names_the_bar_that_is_not_sound() -> None:
    close = BARS.close[:100].copy()
    close[57] = np.nan
    with pytest.raises(Fault, match="bar 57"):
        batch_features(replace(BARS.between(0, 100), close=close))


def test_without_range_and_volume_their_features_stay_silent() -> None:
    bars = walk(1_200, seed=2, has_range=False).bars
    found = batch_features(bars, has_range=False, has_volume=False)[-1]
    silent = {name for name in NAMES if np.isnan(found[AT[name]])}
    assert silent == NEED_RANGE | NEED_VOLUME


@pytest.mark.parametrize("price", [1e-6, 1.0, 3.3e5])
def test_a_price_that_stands_still_has_no_spread(price: float) -> None:
    flat = np.full(1_200, price)
    moved = np.concatenate((BARS.close[:1_000] / BARS.close[0] * price, flat))
    bars = BarSeries(np.arange(len(moved)), moved, moved, moved, moved, np.zeros(len(moved)))
    found = batch_features(bars)[-1]
    assert found[AT["volatility_63"]] == 0.0
    assert found[AT["bollinger_score_20"]] == 0.0
    assert found[AT["bollinger_upper_20"]] == found[AT["bollinger_lower_20"]]
    assert found[AT["stochastic_14"]] == 50.0
    assert np.isnan(found[AT["volume_ratio_20"]])


def test_windows_are_what_numpy_says_after_thousands_of_bars() -> None:
    from numpy.lib.stride_tricks import sliding_window_view

    close, changes = BARS.close, np.concatenate(([0.0], BARS.close[1:] / BARS.close[:-1] - 1.0))
    late = slice(1_100, None)
    for window in (10, 20, 50, 200):
        expected = sliding_window_view(close, window).mean(axis=1)[1_100 - window + 1 :]
        np.testing.assert_allclose(feature(f"sma_{window}")[late], expected, rtol=1e-12)
    for window in (10, 21, 63):
        expected = sliding_window_view(changes, window).std(axis=1, ddof=1)[1_100 - window + 1 :]
        np.testing.assert_allclose(feature(f"volatility_{window}")[late], expected, rtol=1e-9)
    for name, column, window in (("highest_20", BARS.high, 20), ("highest_252", close, 252)):
        expected = sliding_window_view(column, window).max(axis=1)[1_100 - window + 1 :]
        assert np.array_equal(feature(name)[late], expected)
    lowest = sliding_window_view(BARS.low, 20).min(axis=1)[1_100 - 19 :]
    assert np.array_equal(feature("lowest_20")[late], lowest)


def test_indicators_agree_with_an_independent_library() -> None:
    talib = pytest.importorskip("talib", reason="TA-Lib is in the dependency group `oracle`")
    high, low, close, volume = BARS.high, BARS.low, BARS.close, BARS.volume
    upper, _, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    # Seeds differ (first value here, a first average there) and have died out by bar 5000.
    fast, _ = talib.STOCHF(high, low, close, 14, 1)
    expected = {
        "sma_200": talib.SMA(close, 200),
        "ema_12": talib.EMA(close, 12),
        "ema_200": talib.EMA(close, 200),
        "rsi_14": talib.RSI(close, 14),
        "atr_14": talib.ATR(high, low, close, 14),
        "bollinger_upper_20": upper,
        "bollinger_lower_20": lower,
        "momentum_63": talib.ROCP(close, 63),
        "highest_252": talib.MAX(close, 252),
        "stochastic_14": fast,
        "volume_mean_20": talib.SMA(volume, 20),
        "macd": talib.EMA(close, 12) - talib.EMA(close, 26),
    }
    for name, theirs in expected.items():
        np.testing.assert_allclose(feature(name)[5_000:], theirs[5_000:], rtol=1e-7, err_msg=name)
