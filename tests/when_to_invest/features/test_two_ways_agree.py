"""What both the live stream and the columns of a decision compute is the same quantity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.fakes.fake_bars import series, weekdays
from when_to_invest.features.risk_frame import EWMA_DECAY
from when_to_invest.features.stream import batch_features
from when_to_invest.features.stream_layout import NAMES, WARM_UP_FACTOR
from when_to_invest.features.windows import change_ratio, exponential_mean, rolling_max, rolling_mean

BARS = series(weekdays(2600), seed=8)
LIVE = dict(zip(NAMES, batch_features(BARS).T, strict=True))
CLOSE = BARS.close
SETTLED = WARM_UP_FACTOR * 252

EXACT: dict[str, Callable[[], np.ndarray]] = {
    "return_1": lambda: change_ratio(CLOSE, 1),
    "momentum_21": lambda: change_ratio(CLOSE, 21),
    "momentum_63": lambda: change_ratio(CLOSE, 63),
    "momentum_126": lambda: change_ratio(CLOSE, 126),
    "momentum_252": lambda: change_ratio(CLOSE, 252),
    "highest_252": lambda: rolling_max(CLOSE, 252),
    "highest_20": lambda: rolling_max(BARS.high, 20),
    "lowest_20": lambda: -rolling_max(-BARS.low, 20),
    "drawdown_252": lambda: CLOSE / rolling_max(CLOSE, 252) - 1.0,
}
ROUNDED: dict[str, Callable[[], np.ndarray]] = {
    "sma_200": lambda: rolling_mean(CLOSE, 200),
    "distance_200": lambda: CLOSE / rolling_mean(CLOSE, 200) - 1.0,
    "ewma_volatility_33": lambda: np.sqrt(_ewma()),
}


def _ewma() -> np.ndarray:
    """Return RiskMetrics variance of simple returns, from the first return on."""
    squares = change_ratio(CLOSE, 1)[1:] ** 2
    return np.append(np.nan, exponential_mean(squares, EWMA_DECAY))


@pytest.mark.parametrize("name", EXACT)
def test_what_is_not_summed_is_bitwise_the_same(name: str) -> None:
    assert np.array_equal(LIVE[name][SETTLED:], EXACT[name]()[SETTLED:])


@pytest.mark.parametrize("name", ROUNDED)
def test_what_is_summed_is_the_same_to_rounding(name: str) -> None:
    assert LIVE[name][SETTLED:] == pytest.approx(ROUNDED[name]()[SETTLED:], rel=1e-10, abs=1e-12)
