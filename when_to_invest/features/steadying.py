"""Daily variances without single wicks that no close confirms.

Stage: features (pure). Value t depends on rows up to t only. Each day is held against a mean of
days that were held against theirs, so it takes a walk from day to day, which is compiled. Never
imported where numba's start-up would be felt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.compiled import compiled
from when_to_invest.features.variance import FLOOR

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_OUTLIER: Final = 4.0
_CONFIRMED: Final = 4.0
_DECAY: Final = 0.94
_FRESH: Final = 1.0 - _DECAY
_FIRST_DAYS: Final = 6


def steadied(variance: FloatArray, returns: FloatArray) -> FloatArray:
    """Return the variances (n,) with single wicks that no close confirms cut down.

    A day counts at most 4 times the exponential mean of the days before, or 4 times its own
    squared return, whichever is more; the first days are taken as they are.
    """
    import numpy as np

    kept = np.array(variance, dtype=np.float64)
    _steady(kept, np.maximum(_CONFIRMED * returns**2, FLOOR))
    return kept


@compiled
def _steady(kept: FloatArray, confirmed: FloatArray) -> None:
    """Cut the variances `kept` down in place."""
    mean = kept[0] if len(kept) else 0.0
    for day in range(len(kept)):
        if kept[day] > _OUTLIER * mean and day >= _FIRST_DAYS:
            kept[day] = min(kept[day], max(_OUTLIER * mean, confirmed[day]))
        mean = _DECAY * mean + _FRESH * kept[day]
