"""Rolling sums, means and extremes over the past.

Stage: features (pure). Value t depends on rows up to t only, and computing on the first m
rows gives bitwise the first m values, so that truncation can be tested exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from when_to_invest.market import FloatArray

_FORGOTTEN: Final = 1e-30
"""A weight this small adds nothing to a float."""


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

    result = np.full(len(values), np.nan)
    if len(values) >= window:
        result[window - 1 :] = over_windows(values, window, np.maximum)
    return result


def over_windows(
    values: FloatArray, window: int, join: Callable[[FloatArray, FloatArray], FloatArray]
) -> FloatArray:
    """Return `join` over every `window` consecutive values, (n - window + 1,); there must be so many.

    `join`: np.maximum or np.minimum, for which it does not matter that values are joined twice:
    windows are made of two of half their width, in log2(window) passes.
    """
    joined, width = values, 1
    while 2 * width <= window:
        joined, width = join(joined[width:], joined[:-width]), 2 * width
    rest = window - width
    return join(joined[rest:], joined[: len(joined) - rest]) if rest else joined


def sum_windows(values: FloatArray, window: int) -> FloatArray:
    """Return the sum of every `window` consecutive values, (n - window + 1,); there must be so many.

    Sums of 1, 2, 4 ... values, of which `window` is made up: values are only ever added, so that
    nothing large that has left the window is felt in it.
    """
    import numpy as np

    count = len(values) - window + 1
    total, part, width, start = np.zeros(count), values, 1, 0
    while width <= window:
        if window & width:
            total = total + part[start : start + count]
            start += width
        part, width = part[width:] + part[:-width], 2 * width
    return total


def change_ratio(values: FloatArray, lag: int) -> FloatArray:
    """Return value over the value `lag` rows before, minus 1; NaN for the first `lag` rows."""
    import numpy as np

    result = np.full(len(values), np.nan)
    if len(values) > lag:
        result[lag:] = values[lag:] / values[:-lag] - 1.0
    return result


def exponential_mean(values: FloatArray, decay: float) -> FloatArray:
    """Return m_t = decay m_(t-1) + (1 - decay) x_t, started at the first value.

    Summed over spans of 1, 2, 4 ... values (Hillis and Steele 1986) until their weight is nothing.
    """
    mean: FloatArray = (1.0 - decay) * values
    mean[:1] = values[:1]
    width, weight = 1, decay
    while width < len(mean) and weight > _FORGOTTEN:
        mean[width:] += weight * mean[:-width]
        width, weight = 2 * width, weight * weight
    return mean
