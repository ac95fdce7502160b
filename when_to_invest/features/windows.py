"""Rolling sums, means and extremes over the past.

Stage: features (pure). Value t depends on rows up to t only, and computing on the first m
rows gives bitwise the first m values, so that truncation can be tested exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray


def rolling_sum(values: FloatArray, window: int) -> FloatArray:
    """Return the sum of the newest `window` values at each t, NaN before there are so many."""
    import numpy as np

    result = np.full(len(values), np.nan)
    if len(values) >= window:
        total = np.concatenate(([0.0], np.cumsum(values)))
        result[window - 1 :] = total[window:] - total[:-window]
    return result


def rolling_mean(values: FloatArray, window: int) -> FloatArray:
    """Return the mean of the newest `window` values at each t, NaN before there are so many."""
    mean: FloatArray = rolling_sum(values, window) / window
    return mean


def rolling_max(values: FloatArray, window: int) -> FloatArray:
    """Return the largest of the newest `window` values at each t, NaN before there are so many."""
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    result = np.full(len(values), np.nan)
    if len(values) >= window:
        result[window - 1 :] = sliding_window_view(values, window).max(axis=1)
    return result


def change_ratio(values: FloatArray, lag: int) -> FloatArray:
    """Return value over the value `lag` rows before, minus 1; NaN for the first `lag` rows."""
    import numpy as np

    result = np.full(len(values), np.nan)
    if len(values) > lag:
        result[lag:] = values[lag:] / values[:-lag] - 1.0
    return result


def exponential_mean(values: FloatArray, decay: float) -> FloatArray:
    """Return m_t = decay m_(t-1) + (1 - decay) x_t, started at the first value."""
    import numpy as np

    result = np.empty(len(values))
    mean = float(values[0]) if len(values) else 0.0
    for index, value in enumerate(values.tolist()):
        mean = decay * mean + (1.0 - decay) * value
        result[index] = mean
    return result
