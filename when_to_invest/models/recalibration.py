"""Ranges made wider after misses and narrower after their absence: a factor that errors steer.

Stage: models (pure). With the factor k_c of refit c applied to all ranges until the next refit,

    ln k_c = step * sum over the days d that ended since c - memory of (missed_d - 0.1),

missed_d being 1 where the return left the 0.9 range as it was given on d, with the factor of that
time. Source: Gibbs and Candes (2021), "Adaptive conformal inference under distribution shift",
equation 2, steering the logarithm of the width as in Angelopoulos, Candes and Tibshirani (2023),
"Conformal PID control", section 2. Outcomes are felt once their horizon is over and never before,
which is why the step is small: a faster one overshoots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.models.past import REFIT_DAYS

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, TimeArray

STEP: Final = 0.002
MISSES: Final = 0.1
"""Share of the returns that a 0.9 range should leave out."""
MEMORY: Final = 16 * REFIT_DAYS
"""Days before a refit whose errors count: about four years of sessions."""


def width_factors(ranges: FloatArray, came: FloatArray, *, refits: TimeArray, horizon: int) -> FloatArray:
    """Return the factor of each of `refits`, (c,), 1 where nothing had ended yet.

    Args:
        ranges: (m, 2) log returns between which the next `horizon` days should end with
            probability 0.9, as given before any factor; NaN where none was given.
        came: (m,) log return that followed; only outcomes that had ended are read.
        refits: (c,) rows, multiples of `REFIT_DAYS`; errors of at most `MEMORY` rows before count.
        horizon: rows until an outcome is known.
    """
    import numpy as np

    low, high, ended = (
        _before(column, refits) for column in (ranges[:, 0], ranges[:, 1], np.asarray(came, dtype=np.float64))
    )
    logs, width, felt = np.zeros(len(refits)), np.ones(low.shape), 0
    for start in range(0, MEMORY + 1, REFIT_DAYS):
        new = slice(felt, max(felt, start - horizon + 1))
        missed = (ended[:, new] < width[:, new] * low[:, new]) | (
            ended[:, new] > width[:, new] * high[:, new]
        )
        given = np.isfinite(low[:, new])
        logs = logs + STEP * (missed.sum(axis=1) - MISSES * given.sum(axis=1))
        width[:, start : start + REFIT_DAYS] = np.exp(logs)[:, None]
        felt = new.stop
    return np.exp(logs)


def _before(column: FloatArray, refits: TimeArray) -> FloatArray:
    """Return the `MEMORY` values before each refit, NaN before the first."""
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    padded = np.concatenate((np.full(MEMORY, np.nan), column[: int(refits[-1])]))
    windows: FloatArray = sliding_window_view(padded, MEMORY)[refits]
    return windows
