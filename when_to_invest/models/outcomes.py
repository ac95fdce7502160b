"""What came after each day: worst fall, return, and variance over a horizon.

Stage: models (pure). Outcomes look ahead by design, so they are labels, never features:
row t is NaN until `horizon` further days are known, and learning uses finished rows only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from when_to_invest.features.windows import over_windows, sum_windows

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray


def _ahead(windows: FloatArray, count: int) -> FloatArray:
    """Shift a statistic of the next h days to the day before them, NaN where unfinished."""
    import numpy as np

    result = np.full(count, np.nan)
    result[: len(windows)] = windows
    return result


def worst_fall_ahead(close: FloatArray, horizon: int) -> FloatArray:
    """Return min(close_(t+1) .. close_(t+h)) / close_t - 1 of closes (n,): a ratio (n,), above -1."""
    import numpy as np

    lowest = over_windows(close[1:], horizon, np.minimum)
    return _ahead(lowest / close[: len(lowest)] - 1.0, len(close))


def log_return_ahead(close: FloatArray, horizon: int) -> FloatArray:
    """Return ln(close_(t+h) / close_t) of closes (n,), (n,)."""
    import numpy as np

    return _ahead(np.log(close[horizon:] / close[:-horizon]), len(close))


def mean_ahead(values: FloatArray, horizon: int) -> FloatArray:
    """Return mean(values_(t+1) .. values_(t+h)) of values (n,), in their unit, (n,)."""
    return _ahead(sum_windows(values[1:], horizon) / horizon, len(values))
