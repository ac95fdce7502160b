"""How often the instrument itself fell so far, in forecast deviations: filtered history without paths.

Stage: models (pure). The worst fall of each finished day's horizon, divided by what its own day
forecast, is one draw from the instrument's distribution of scaled falls; the share of draws that
reach x over today's forecast estimates the odds of x (Hull and White 1998, applied to the minimum
of the path rather than its end). Needs no fit, knows the instrument's own tails, and is blind
where history is short: `weight` says how far to follow it. Never counts an unfinished horizon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.models.past import FIRST_ROW, REFIT_DAYS, Past

if TYPE_CHECKING:
    from collections.abc import Sequence

    from when_to_invest.market import FloatArray

_BINS: Final = 500
_WIDTH: Final = 0.02
"""Of a bin, in logarithms of the scaled fall; the share is linear within one."""
_LOWEST: Final = -5.0
_MOST_WEIGHT: Final = 0.6
_HALF_TRIALS: Final = 50.0
"""Non-overlapping horizons at which half of the greatest weight is reached."""


def weight(trials: FloatArray) -> FloatArray:
    """Return how far to follow the own share, 0 to 0.6, after so many non-overlapping horizons."""
    share: FloatArray = _MOST_WEIGHT * trials / (trials + _HALF_TRIALS)
    return share


def own_counts(past: Past, horizon: int, log_deviation: FloatArray) -> FloatArray:
    """Return, at each refit, the finished days at or beyond each bin's edge (R, B + 1), all in the first."""
    import numpy as np

    count = len(past.bars)
    refits = max(count - 1 - FIRST_ROW, 0) // REFIT_DAYS + 1
    rows = np.arange(FIRST_ROW, max(FIRST_ROW, count - horizon))
    fall = np.maximum(-np.log1p(past.worst(horizon)[rows]), np.exp(_LOWEST - 10.0))
    bins = _bin(np.log(fall) - log_deviation[rows]).astype(np.int64)
    first_refit = -((FIRST_ROW - rows - horizon) // REFIT_DAYS)
    known = first_refit < refits
    cells = np.bincount(first_refit[known] * _BINS + bins[known], minlength=refits * _BINS)
    total = np.cumsum(cells.reshape(refits, _BINS), axis=0)
    table = np.zeros((refits, _BINS + 1))
    table[:, :_BINS] = np.cumsum(total[:, ::-1], axis=1)[:, ::-1]
    return table


def own_shares(
    counts: FloatArray, horizon: int, log_falls: Sequence[float], *, log_deviation: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the share of finished days that fell as far in their own units (n, T), and trials (n,).

    Args:
        counts: see `own_counts`.
        horizon: days ahead.
        log_falls: ln(-ln(1 - x)) of each fall x asked about.
        log_deviation: (n,) log of the deviation of the return over the horizon that each day
            expects.
    """
    import numpy as np

    block = np.maximum((np.arange(len(log_deviation)) - FIRST_ROW) // REFIT_DAYS, 0)
    place = _bin(np.asarray(log_falls)[:, None] - log_deviation)
    below = place.astype(np.int64)
    rest = place - below
    below += block * counts.shape[1]
    reached = (1.0 - rest) * counts.take(below) + rest * counts.take(below + 1)
    finished = counts[:, 0][block]
    return (reached / np.maximum(finished, 1)).T, finished / horizon


def _bin(log_scaled: FloatArray) -> FloatArray:
    """Return where each fall, in logarithms of deviations, lies on the axis of bins; 0 if unknown."""
    import numpy as np

    place = (log_scaled - _LOWEST) / _WIDTH
    place[np.isnan(place)] = 0.0
    return np.clip(place, 0.0, _BINS - 1.0)
