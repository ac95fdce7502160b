"""Scores of probabilities, quantiles, variances and ranges against what came.

Stage: honesty (pure). Every array has shape (m,), one row a forecast, forecasts and outcomes
in the same order, without NaN: leaving rows out is the caller's decision, never made here.
Skill is always against a stated baseline; a score without a basis is NaN, never zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.bootstrap import (
    ConfidenceInterval,
    block_of,
    bootstrap_ci,
    bootstrap_means,
    skill_ci,
)

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

__all__ = [
    "ConfidenceInterval",
    "block_of",
    "bootstrap_ci",
    "bootstrap_means",
    "brier_score",
    "brier_skill",
    "climatology",
    "coverage",
    "expected_calibration_error",
    "pinball_loss",
    "pinball_losses",
    "qlike",
    "qlike_losses",
    "rolling_worst_coverage",
    "skill",
    "skill_ci",
]

BINS: Final = 10


def climatology(outcomes: FloatArray, *, horizon: int, first: int) -> FloatArray:
    """Return the expanding frequency of earlier, finished outcomes: the baseline of `brier_skill`.

    Row t is the mean of outcomes[: t - horizon + 1]: the newest label that had ended at t
    began `horizon` rows before it. Rows before `first` are NaN.

    Raises:
        Fault: `bad_argument` when no outcome is finished at `first`, or a value is not finite.
    """
    import numpy as np

    came = _finite(outcomes)
    if horizon < 1 or first < horizon:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"no outcome of {horizon} rows is finished at row {first}",
            fix="begin at least one horizon after the first row",
        )
    rates = np.cumsum(came) / np.arange(1, len(came) + 1)
    base = np.full(len(came), np.nan)
    base[first:] = rates[first - horizon : len(came) - horizon]
    return base


def brier_score(odds: FloatArray, outcomes: FloatArray) -> float:
    """Return mean((odds - outcome)^2), 0 best, with outcomes 0 or 1. Source: Brier (1950).

    Raises:
        Fault: `bad_argument` for unequal, empty or non-finite arrays.
    """
    given, came = _columns(odds, outcomes)
    return float(((given - came) ** 2).mean())


def brier_skill(odds: FloatArray, baseline: FloatArray, outcomes: FloatArray) -> float:
    """Return 1 - Brier(odds) / Brier(baseline): 1 perfect, 0 no better than the baseline.

    `baseline` is what climatology said at the time (see `climatology`), never the mean of the
    judged years. NaN when the baseline made no error. Source: Murphy (1973).

    Raises:
        Fault: `bad_argument` for unequal, empty or non-finite arrays.
    """
    given, base, came = _columns(odds, baseline, outcomes)
    return skill((given - came) ** 2, (base - came) ** 2)


def skill(loss: FloatArray, base_loss: FloatArray) -> float:
    """Return 1 - mean(loss) / mean(base_loss); NaN when the baseline made no loss.

    Raises:
        Fault: `bad_argument` for unequal, empty or non-finite arrays.
    """
    ours, base = _columns(loss, base_loss)
    against = float(base.mean())
    return 1.0 - float(ours.mean()) / against if against > 0.0 else float("nan")


def expected_calibration_error(odds: FloatArray, outcomes: FloatArray, *, bins: int = BINS) -> float:
    """Return sum over bins of |mean(odds) - mean(outcome)| weighted by the rows in the bin.

    Bins are equally wide over [0, 1]. In probability units, 0 best. Source: Naeini, Cooper
    and Hauskrecht (2015).

    Raises:
        Fault: `bad_argument` for unequal or empty arrays, or odds outside [0, 1].
    """
    import numpy as np

    given, came = _columns(odds, outcomes)
    if bins < 1 or bool(((given < 0.0) | (given > 1.0)).any()):
        raise Fault(ErrorCode.BAD_ARGUMENT, "odds lie outside 0 to 1", fix="pass probabilities")
    place = np.minimum((given * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=given - came, minlength=bins)
    return float(np.abs(gaps).sum() / len(given))


def pinball_loss(forecast: FloatArray, outcomes: FloatArray, *, level: float) -> float:
    """Return the mean of max(level * e, (level - 1) * e) with e = outcome - forecast.

    In the unit of the outcome, 0 best; minimal in expectation at the true `level` quantile.
    Source: Koenker and Bassett (1978).

    Raises:
        Fault: `bad_argument` for unequal, empty or non-finite arrays, or a level outside (0, 1).
    """
    return float(pinball_losses(forecast, outcomes, level=level).mean())


def pinball_losses(forecast: FloatArray, outcomes: FloatArray, *, level: float) -> FloatArray:
    """Return the (m,) pinball losses whose mean is `pinball_loss`.

    Raises:
        Fault: `bad_argument` as `pinball_loss`.
    """
    import numpy as np

    if not 0.0 < level < 1.0:
        raise Fault(ErrorCode.BAD_ARGUMENT, f"{level} is no quantile level", fix="pass one between 0 and 1")
    given, came = _columns(forecast, outcomes)
    error = came - given
    return np.maximum(level * error, (level - 1.0) * error)


def qlike(forecast: FloatArray, outcomes: FloatArray) -> float:
    """Return the mean of r - ln r - 1 with r = realised / forecast variance, both > 0; 0 best.

    Robust to noise in the realised variance. Source: Patton (2011), "Volatility forecast
    comparison using imperfect volatility proxies", equation 24 without its constants.

    Raises:
        Fault: `bad_argument` for unequal or empty arrays, or variances that are not positive.
    """
    return float(qlike_losses(forecast, outcomes).mean())


def qlike_losses(forecast: FloatArray, outcomes: FloatArray) -> FloatArray:
    """Return the (m,) losses whose mean is `qlike`.

    Raises:
        Fault: `bad_argument` as `qlike`.
    """
    import numpy as np

    given, came = _columns(forecast, outcomes)
    if bool((given <= 0.0).any()) or bool((came <= 0.0).any()):
        raise Fault(ErrorCode.BAD_ARGUMENT, "a variance is not positive", fix="leave constant prices out")
    ratio = came / given
    losses: FloatArray = ratio - np.log(ratio) - 1.0
    return losses


def coverage(low: FloatArray, high: FloatArray, outcomes: FloatArray) -> float:
    """Return the share of outcomes in [low, high]. Source: Kupiec (1995).

    Raises:
        Fault: `bad_argument` for unequal, empty or non-finite arrays.
    """
    return float(_held(low, high, outcomes).mean())


def rolling_worst_coverage(low: FloatArray, high: FloatArray, outcomes: FloatArray, *, window: int) -> float:
    """Return the lowest coverage over any `window` consecutive rows (504: two years of sessions).

    Raises:
        Fault: `bad_argument` as `coverage`, `history_too_short` with fewer than `window` rows.
    """
    import numpy as np

    held = _held(low, high, outcomes)
    if window < 1 or len(held) < window:
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT,
            f"{len(held)} forecasts do not fill a window of {window}",
            fix="judge a longer period",
        )
    sums = np.concatenate(([0.0], np.cumsum(held)))
    return float((sums[window:] - sums[:-window]).min() / window)


def _held(low: FloatArray, high: FloatArray, outcomes: FloatArray) -> FloatArray:
    import numpy as np

    bottom, top, came = _columns(low, high, outcomes)
    return ((bottom <= came) & (came <= top)).astype(np.float64)


def _finite(values: FloatArray) -> FloatArray:
    import numpy as np

    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or not len(column) or not bool(np.isfinite(column).all()):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "a score needs at least one row, and finite numbers only",
            fix="leave out rows that have no forecast or no outcome yet",
        )
    return column


def _columns(*arrays: FloatArray) -> tuple[FloatArray, ...]:
    columns = tuple(_finite(each) for each in arrays)
    if any(len(each) != len(columns[0]) for each in columns):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "forecasts and outcomes differ in length",
            fix="pass one row for each forecast",
        )
    return columns
