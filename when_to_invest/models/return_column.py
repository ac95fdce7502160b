"""What a model of daily returns may be fitted to: one finite column, long enough, of a price that moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray


def checked_returns(returns: FloatArray, *, fewest: int, wanted: str) -> FloatArray:
    """Return a float64 copy of `returns`, shape (n,), as ratios.

    Args:
        returns: one return a day.
        fewest: how many the model takes.
        wanted: what too few of them cannot do, for the error.

    Raises:
        Fault: `history_too_short`, or `bad_argument` for another shape, a value that is no
            finite number, or returns that are all equal.
    """
    import numpy as np

    column = np.array(returns, dtype=np.float64)
    if len(column) < fewest:
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT,
            f"{len(column)} returns do not {wanted}; it takes {fewest}",
            fix="import more history",
        )
    if column.ndim != 1 or not bool(np.isfinite(column).all()) or not column.std() > 0.0:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "a return is not a finite number, or all are equal",
            fix="pass one column of returns of a price that moves",
        )
    return column
