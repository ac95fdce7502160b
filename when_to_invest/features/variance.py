"""Daily variance of log prices, from ranges where they are known.

Stage: features (pure). Source: Garman and Klass (1980) for the session, plus the squared
overnight move; squared close-to-close returns where only closes are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.features.daily import DailyBars

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

FLOOR: Final = 1e-8
"""Smallest daily variance that is told apart (1 bp a day), so that logarithms stay finite."""
_GARMAN_KLASS: Final = 0.38629436111989061884
"""2 ln 2 - 1."""
_OUTLIER: Final = 4.0
_CONFIRMED: Final = 4.0
_DECAY: Final = 0.94
_FIRST_DAYS: Final = 6


def log_returns(close: FloatArray) -> FloatArray:
    """Return ln(close_t / close_(t-1)); the first is 0."""
    import numpy as np

    logs = np.log(close)
    return np.diff(logs, prepend=logs[:1])


def daily_variance(bars: DailyBars) -> FloatArray:
    """Return the variance of each day's log price move, shape (n,), at least `FLOOR`."""
    import numpy as np

    if not bars.has_range:
        return np.maximum(log_returns(bars.close) ** 2, FLOOR)
    span = np.log(bars.high / bars.low)
    body = np.log(bars.close / bars.open)
    session = 0.5 * span**2 - _GARMAN_KLASS * body**2
    previous = np.concatenate((bars.open[:1], bars.close[:-1]))
    overnight = np.log(bars.open / previous)
    variance: FloatArray = np.maximum(session + overnight**2, FLOOR)
    return variance


def steadied(variance: FloatArray, returns: FloatArray) -> FloatArray:
    """Return daily variances without single wicks that no close confirms.

    A day counts at most 4 times the exponential mean of the days before, or 4 times its own
    squared return, whichever is more; the first days are taken as they are.
    """
    import numpy as np

    confirmed = np.maximum(_CONFIRMED * returns**2, FLOOR).tolist()
    kept = variance.tolist()
    mean, fresh = kept[0] if kept else 0.0, 1.0 - _DECAY
    for index, value in enumerate(kept):
        if value > _OUTLIER * mean and index >= _FIRST_DAYS:
            kept[index] = min(value, max(_OUTLIER * mean, confirmed[index]))
        mean = _DECAY * mean + fresh * kept[index]
    return np.array(kept)
