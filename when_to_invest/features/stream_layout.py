"""What the streaming kernel computes, from how many bars, and where it keeps what it remembers.

Stage: features (pure). A table of names; the arithmetic stands in `stream_kernel`.
"""

from __future__ import annotations

import math
from typing import Final

WARM_UP_FACTOR: Final = 4
"""A feature of period p is given from bar 4 p on: an exponential mean of 200 bars, started on its first
close, is still 15 bps of price off after 200 bars and 0.04 bps after 800."""
LONGEST: Final = 252
RING: Final = 256
"""Rows of the ring: a power of two above the longest period."""

PERIODS: Final[dict[str, int]] = {
    "return_1": 1,
    "momentum_21": 21,
    "momentum_63": 63,
    "momentum_126": 126,
    "momentum_252": 252,
    "sma_10": 10,
    "sma_20": 20,
    "sma_50": 50,
    "sma_200": 200,
    "distance_50": 50,
    "distance_200": 200,
    "ema_12": 12,
    "ema_26": 26,
    "ema_50": 50,
    "ema_200": 200,
    "macd": 26,
    "macd_signal": 35,
    "macd_histogram": 35,
    "rsi_14": 14,
    "atr_14": 14,
    "atr_ratio_14": 14,
    "bollinger_upper_20": 20,
    "bollinger_lower_20": 20,
    "bollinger_score_20": 20,
    "volatility_10": 10,
    "volatility_21": 21,
    "volatility_63": 63,
    "ewma_volatility_33": 33,
    "range_volatility_21": 21,
    "highest_20": 20,
    "lowest_20": 20,
    "highest_252": 252,
    "drawdown_252": 252,
    "stochastic_14": 14,
    "volume_mean_20": 20,
    "volume_ratio_20": 20,
    "up_share_20": 20,
}
"""Features in the order in which they are returned, with the bars each looks back on."""
NAMES: Final = tuple(PERIODS)
NEED_RANGE: Final = frozenset(
    {
        "atr_14",
        "atr_ratio_14",
        "range_volatility_21",
        "highest_20",
        "lowest_20",
        "stochastic_14",
    }
)
NEED_VOLUME: Final = frozenset({"volume_mean_20", "volume_ratio_20"})


def warm_ups(*, has_range: bool, has_volume: bool) -> tuple[float, ...]:
    """Return from how many bars on each feature is given; never (infinity) without its columns."""
    missing = (frozenset() if has_range else NEED_RANGE) | (frozenset() if has_volume else NEED_VOLUME)
    return tuple(
        math.inf if name in missing else float(WARM_UP_FACTOR * period) for name, period in PERIODS.items()
    )
