"""Whether positions were timed, or only held: the same path of positions, rotated in time.

Stage: honesty (pure, exact, no randomness). Rotation keeps exposure, turnover and the length of
every stay, and breaks only the meeting with the returns; all rotations are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_FEWEST: Final = 30


@dataclass(frozen=True, slots=True)
class TimingNull:
    """Sharpe ratio per bar as timed, and over all rotations; `p_value` one-sided, NaN if it never varies."""

    sharpe: float
    null_mean: float
    null_deviation: float
    p_value: float
    rotations: int


def circular_shift_null(weights: FloatArray, returns: FloatArray, *, least_shift: int = 1) -> TimingNull:
    """Compare the Sharpe ratio of weights * returns with that of every rotation of the weights.

    Args:
        weights: (m,) position held over each bar, decided before it began.
        returns: (m,) simple return of each bar, in excess of cash.
        least_shift: rotations nearer than this many bars are no independent ones.

    Raises:
        Fault: `bad_argument` for arrays that differ or are not finite; `history_too_short` when
            fewer than 30 rotations remain.
    """
    import numpy as np

    count = len(returns)
    if len(weights) != count or not bool(np.isfinite(weights).all() and np.isfinite(returns).all()):
        raise Fault(ErrorCode.BAD_ARGUMENT, "weights and returns do not fit", fix="pass one of each a bar")
    if least_shift < 1 or count - 2 * least_shift + 1 < _FEWEST:
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT, f"{count} bars leave too few rotations", fix="judge a longer record"
        )
    mean = _rotated_dot(weights, returns) / count
    power = _rotated_dot(weights**2, returns**2) / count
    spread = np.sqrt(np.maximum(power - mean**2, 0.0))
    if not spread.max() > 0.0:
        return TimingNull(*(float("nan"),) * 4, rotations=0)
    ratios = np.divide(mean, spread, out=np.zeros(count), where=spread > 1e-12 * spread.max())
    null = ratios[least_shift : count - least_shift + 1]
    # Rounding of the transform must not make equal rotations look better than the path itself.
    as_good = int((null >= ratios[0] - 1e-9 * np.abs(ratios).max()).sum())
    return TimingNull(
        sharpe=float(ratios[0]),
        null_mean=float(null.mean()),
        null_deviation=float(null.std()),
        p_value=(1 + as_good) / (1 + len(null)),
        rotations=len(null),
    )


def _rotated_dot(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return sum_t one[t - s] * other[t] for every rotation s, by the Fourier transform."""
    import numpy as np

    transformed = np.conj(np.fft.rfft(one)) * np.fft.rfft(other)
    products: FloatArray = np.fft.irfft(transformed, n=len(other))
    return products
