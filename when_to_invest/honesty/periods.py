"""The same figures period by period, so that no average hides the years that were lost.

Stage: honesty (pure). Every table says in which periods the benchmark was better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.sharpe import sharpe_ratio

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, TimeArray

_EPOCH: Final = date(1970, 1, 1).toordinal()
_FEWEST: Final = 30


@dataclass(frozen=True, slots=True)
class Performance:
    """Ratios: `growth` over the period, `sharpe` a year, `max_drawdown` (0 or below)."""

    growth: float
    sharpe: float
    max_drawdown: float


@dataclass(frozen=True, slots=True)
class Period:
    """One row: first and last day with returns, and both performances."""

    start: date
    end: date
    bars: int
    ours: Performance
    benchmark: Performance

    @property
    def is_lost(self) -> bool:
        """Whether the benchmark had the higher Sharpe ratio."""
        return self.ours.sharpe < self.benchmark.sharpe


def sub_periods(
    day: TimeArray,
    returns: FloatArray,
    benchmark: FloatArray,
    *,
    edges: Sequence[date],
    bars_per_year: float = 252.0,
) -> tuple[Period, ...]:
    """Return one row for each pair of neighbouring edges that holds at least 30 bars.

    Args:
        day: (m,) days since 1970, increasing.
        returns: (m,) simple returns of what is judged.
        benchmark: (m,) simple returns of what it is held against.
        edges: increasing dates; a period runs from one (inclusive) to the next (exclusive).
        bars_per_year: for the annual Sharpe ratio.

    Raises:
        Fault: `bad_argument` for columns or edges that do not fit.
    """
    import numpy as np

    if not len(day) == len(returns) == len(benchmark) or any(one >= two for one, two in pairwise(edges)):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "the columns differ in length or the edges do not increase",
            fix="pass one return of each a day",
        )
    places = np.searchsorted(day, [edge.toordinal() - _EPOCH for edge in edges])
    return tuple(
        Period(
            start=date.fromordinal(int(day[start]) + _EPOCH),
            end=date.fromordinal(int(day[stop - 1]) + _EPOCH),
            bars=int(stop - start),
            ours=_performance(returns[start:stop], bars_per_year),
            benchmark=_performance(benchmark[start:stop], bars_per_year),
        )
        for start, stop in pairwise(places)
        if stop - start >= _FEWEST
    )


def max_drawdown(returns: FloatArray) -> float:
    """Return the worst fall of wealth from a peak, start included, as a ratio of at most 0."""
    import numpy as np

    wealth = np.concatenate(([1.0], np.cumprod(1.0 + returns)))
    return float((wealth / np.maximum.accumulate(wealth) - 1.0).min())


def _performance(returns: FloatArray, bars_per_year: float) -> Performance:
    import numpy as np

    return Performance(
        growth=float(np.prod(1.0 + returns) - 1.0),
        sharpe=sharpe_ratio(returns) * sqrt(bars_per_year),
        max_drawdown=max_drawdown(returns),
    )
