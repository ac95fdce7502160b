"""How far a figure could have come out differently: circular block bootstrap.

Stage: honesty (pure, seeded). Source: Politis and Romano (1992), "A circular block-resampling
procedure for stationary data". Blocks keep the dependence of overlapping outcomes, so they
are at least three label horizons long; the caller says how long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray

BLOCK_HORIZONS: Final = 3
"""A block spans at least this many label horizons."""
DRAWS: Final = 2000
LEVEL: Final = 0.9
_MOST_UNDEFINED: Final = 0.05


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """`low` to `high` holds the statistic in `level` of the resampled histories.

    Both are NaN when the statistic was undefined in more than 0.05 of them.
    """

    low: float
    high: float
    level: float

    def is_above(self, bound: float) -> bool:
        """Whether the whole interval lies above `bound` (never, when it is unknown)."""
        return self.low > bound


def block_of(horizon: int) -> int:
    """Return the block length for labels of `horizon` rows: three horizons."""
    return BLOCK_HORIZONS * horizon


def bootstrap_ci(
    columns: FloatArray | Sequence[FloatArray],
    statistic: Callable[..., float],
    *,
    block: int,
    n: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
) -> ConfidenceInterval:
    """Return the percentile interval of `statistic` over resampled rows.

    Args:
        columns: one array of shape (m,) or several of equal length, resampled together.
        statistic: called with as many (m,) arrays as there are columns; NaN means undefined.
        block: rows a block, at least three label horizons (see `block_of`).
        n: resampled histories.
        seed: equal seeds give equal intervals.
        level: probability inside, in (0, 1).

    Raises:
        Fault: `bad_argument` for columns of different or zero length, or nonsense arguments.
    """
    import numpy as np

    arrays = _as_columns(columns)
    _check(len(arrays[0]), block=block, draws=n, level=level)
    values = np.array(
        [statistic(*(each[rows] for each in arrays)) for rows in _resampled(len(arrays[0]), block, n, seed)]
    )
    return interval_of(values, level=level)


def bootstrap_means(
    columns: Sequence[FloatArray], *, block: int, n: int = DRAWS, seed: int = 0
) -> FloatArray:
    """Return the (n, k) means of k columns in n resampled histories.

    The same histories as `bootstrap_ci` draws under the same seed, by sums of whole blocks:
    several times faster for any statistic that is a function of means.

    Raises:
        Fault: `bad_argument` as `bootstrap_ci`.
    """
    import numpy as np

    arrays = np.stack(_as_columns(columns))
    count = arrays.shape[1]
    _check(count, block=block, draws=n, level=LEVEL)
    block = min(block, count)
    starts = _starts(count, block, n, seed)
    last = count - (starts.shape[1] - 1) * block
    lengths = np.full(starts.shape[1], block)
    lengths[-1] = last
    wrapped = np.concatenate([np.zeros((len(arrays), 1)), np.tile(arrays, 2).cumsum(axis=1)], axis=1)
    sums = wrapped[:, starts + lengths] - wrapped[:, starts]
    means: FloatArray = sums.sum(axis=2).T / count
    return means


def skill_ci(
    loss: FloatArray,
    base_loss: FloatArray,
    *,
    block: int,
    n: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
) -> ConfidenceInterval:
    """Return the interval of 1 - mean(loss) / mean(base_loss), both of shape (m,).

    Raises:
        Fault: `bad_argument` as `bootstrap_ci`.
    """
    import numpy as np

    _check(len(loss), block=block, draws=n, level=level)
    means = bootstrap_means((loss, base_loss), block=block, n=n, seed=seed)
    base = np.where(means[:, 1] > 0.0, means[:, 1], np.nan)
    return interval_of(1.0 - means[:, 0] / base, level=level)


def interval_of(values: FloatArray, *, level: float) -> ConfidenceInterval:
    """Return the central `level` of resampled `values`, NaN where too many are undefined."""
    import numpy as np

    known = values[~np.isnan(values)]
    if len(known) < (1.0 - _MOST_UNDEFINED) * len(values):
        return ConfidenceInterval(float("nan"), float("nan"), level)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(known, (tail, 1.0 - tail))
    return ConfidenceInterval(float(low), float(high), level)


def _as_columns(columns: FloatArray | Sequence[FloatArray]) -> list[FloatArray]:
    import numpy as np

    several = isinstance(columns, Sequence) and not (len(columns) and np.isscalar(columns[0]))
    arrays = [np.asarray(each, dtype=np.float64) for each in (columns if several else (columns,))]
    if not arrays or any(each.ndim != 1 or len(each) != len(arrays[0]) for each in arrays):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "the columns to resample differ in length",
            fix="pass arrays of one dimension and equal length",
        )
    return arrays


def _check(count: int, *, block: int, draws: int, level: float) -> None:
    if count < 1 or block < 1 or draws < 1 or not 0.0 < level < 1.0:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"nothing to resample: {count} rows, blocks of {block}, {draws} draws, level {level}",
            fix="pass at least one row, a block and a draw, and a level between 0 and 1",
        )


def _starts(count: int, block: int, draws: int, seed: int) -> NDArray[np.int64]:
    import numpy as np

    return np.random.default_rng(seed).integers(0, count, size=(draws, -(-count // min(block, count))))


def _resampled(count: int, block: int, draws: int, seed: int) -> Iterator[NDArray[np.int64]]:
    import numpy as np

    span = np.arange(min(block, count))
    for starts in _starts(count, block, draws, seed):
        rows: NDArray[np.int64] = (starts[:, None] + span).ravel()[:count] % count
        yield rows
