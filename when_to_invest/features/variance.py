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
