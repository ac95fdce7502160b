"""How often the best of many configurations is a loser on days it had not seen.

Stage: honesty (pure, exact, no randomness). Combinatorially symmetric cross-validation (CSCV) of
Bailey, Borwein, Lopez de Prado and Zhu (2017), "The probability of backtest overfitting".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray

BLOCKS: Final = 16
"""C(16, 8) = 12,870 ways to halve the record."""
_FEWEST_BLOCKS: Final = 4
_MOST_BLOCKS: Final = 20
_MEDIAN: Final = 0.5
_TABLE: Final = 2
_FEWEST_CONFIGURATIONS: Final = 2
_CHUNK: Final = 256
_FLAT: Final = 1e-12
"""A standard deviation below this times the largest return counts as none."""


@dataclass(frozen=True, slots=True)
class Overfitting:
    """What became of the configuration that was best in one half, in the other half.

    `probability` (PBO): share of splits in which it fell to the median or below. `loss`: share in
    which its Sharpe ratio was negative. `chosen_sharpe` in the half that chose it and
    `later_sharpe` in the other are medians over splits, per bar. `slope` of later on chosen.
    """

    probability: float
    loss: float
    chosen_sharpe: float
    later_sharpe: float
    slope: float
    configurations: int
    splits: int


@dataclass(frozen=True)
class _Halves:
    """(splits, configurations): Sharpe ratios in a half, and in its complement."""

    inside: FloatArray
    outside: FloatArray


def probability_of_overfitting(returns: FloatArray, *, blocks: int = BLOCKS) -> Overfitting:
    """Return PBO and its relatives of (bars, configurations) simple returns.

    The oldest bars that do not fill equal blocks are left out. Ties share their mean rank.

    Raises:
        Fault: `bad_argument` for fewer than 2 configurations, an odd or unusual number of
            blocks, or returns that are not finite; `history_too_short` below 2 bars a block.
    """
    import numpy as np

    _check(returns, blocks)
    sums, squares, length = _block_sums(returns, blocks)
    members = _first_halves(blocks)
    chosen, later, share = [], [], []
    for start in range(0, len(members), _CHUNK):
        halves = _sharpes(members[start : start + _CHUNK], sums, squares, length)
        for one, other in ((halves.inside, halves.outside), (halves.outside, halves.inside)):
            best = one.argmax(axis=1)
            rows = np.arange(len(best))
            picked = other[rows, best]
            below = (other < picked[:, None]).sum(axis=1)
            equal = (other == picked[:, None]).sum(axis=1)
            chosen.append(one[rows, best])
            later.append(picked)
            share.append((below + (equal + 1) / 2.0) / (returns.shape[1] + 1.0))
    return _summary(np.concatenate(chosen), np.concatenate(later), np.concatenate(share), returns.shape[1])


def _summary(chosen: FloatArray, later: FloatArray, share: FloatArray, configurations: int) -> Overfitting:
    import numpy as np

    spread = chosen - chosen.mean()
    energy = float(spread @ spread)
    return Overfitting(
        probability=float((share <= _MEDIAN).mean()),
        loss=float((later < 0.0).mean()),
        chosen_sharpe=float(np.median(chosen)),
        later_sharpe=float(np.median(later)),
        slope=float(spread @ later) / energy if energy > 0.0 else float("nan"),
        configurations=configurations,
        splits=len(share),
    )


def _first_halves(blocks: int) -> NDArray[np.float64]:
    """Return (splits / 2, blocks) memberships; the complements are the other half of all splits."""
    import numpy as np

    half = blocks // 2
    chosen = np.array([each for each in combinations(range(blocks), half) if each[0] == 0])
    members = np.zeros((comb(blocks, half) // 2, blocks))
    np.put_along_axis(members, chosen, 1.0, axis=1)
    return members


def _block_sums(returns: FloatArray, blocks: int) -> tuple[FloatArray, FloatArray, int]:
    """Return (blocks, k) sums and sums of squares of returns, and the bars a block."""
    import numpy as np

    length = len(returns) // blocks
    kept = np.asarray(returns, dtype=np.float64)[len(returns) - length * blocks :]
    parts = kept.reshape(blocks, length, -1)
    return parts.sum(axis=1), np.einsum("blk,blk->bk", parts, parts), length


def _sharpes(members: FloatArray, sums: FloatArray, squares: FloatArray, length: int) -> _Halves:
    import numpy as np

    count = length * (len(sums) // 2)
    inside, inside_squares = members @ sums, members @ squares
    total, total_squares = sums.sum(axis=0), squares.sum(axis=0)

    def ratio(one: FloatArray, square: FloatArray) -> FloatArray:
        mean = one / count
        power = square / count
        variance = power - mean**2
        is_flat = variance <= _FLAT * power
        spread = np.sqrt(np.where(is_flat, 1.0, variance))
        return np.where(is_flat, 0.0, mean / spread)

    return _Halves(ratio(inside, inside_squares), ratio(total - inside, total_squares - inside_squares))


def _check(returns: FloatArray, blocks: int) -> None:
    import numpy as np

    if (
        returns.ndim != _TABLE
        or returns.shape[1] < _FEWEST_CONFIGURATIONS
        or not bool(np.isfinite(returns).all())
    ):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "returns must be a finite table of bars by at least two configurations",
            fix="give every configuration a return at every bar",
        )
    if blocks % 2 or not _FEWEST_BLOCKS <= blocks <= _MOST_BLOCKS:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{blocks} blocks cannot be halved fairly",
            fix="use 16, or an even 4 to 20",
        )
    if len(returns) < 2 * blocks:
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT,
            f"{len(returns)} bars do not fill {blocks} blocks of two",
            fix="judge a longer record",
        )
