"""Breaks in a record of prices: leaps over prices nobody traded at, and stretches without bars.

Stage: features (pure). A leap is what an unadjusted split, a bad print or a ticker that was given
to something else looks like: between a close and the whole of the next bar lies a ratio of more
than 1.35. A crash is none, for its bar holds the prices it fell through. Where only closes are
known, a move so large must also be ten times the usual one. Row t is known at the close of day t
and is the same whatever follows. Never repairs anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from when_to_invest.features.daily import DailyBars

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray, TimeArray

    Mask = NDArray[np.bool_]

LEAP_RATIO: Final = 1.35
"""A price so many times another, up or down, is beyond one step."""
WINDOW_DAYS: Final = 252
"""Days on which today's volatility, trend and momenta rest: a leap within them is in every figure."""
LONG_GAP_DAYS: Final = 14
"""Calendar days without a bar that no holiday explains."""
_USUAL_DAYS: Final = 63
_FEWEST_USUAL: Final = 10
_UNUSUAL: Final = 10.0
_TO_DEVIATION: Final = 1.4826
"""A median absolute deviation times this is the standard deviation of a normal distribution."""
_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Leap:
    """On `day` (the record's row `row`) the close was `ratio` times the one before, with nothing between."""

    row: int
    day: date
    ratio: float


@dataclass(frozen=True, slots=True)
class Gap:
    """There is no bar in the `days` calendar days before `day`, the record's row `row`."""

    row: int
    day: date
    days: int


@dataclass(frozen=True, slots=True)
class Breaks:
    """All leaps, oldest first, and the longest gap if any is long; of `count` days."""

    count: int
    leaps: tuple[Leap, ...]
    gap: Gap | None

    @property
    def newest_in_window(self) -> Leap | None:
        """Return the newest leap that today's figures rest on."""
        newest = self.leaps[-1] if self.leaps else None
        return newest if newest and newest.row >= self.count - WINDOW_DAYS else None


def breaks_of(bars: DailyBars) -> Breaks:
    """Return the breaks of a record of days."""
    import numpy as np

    close = bars.close
    rows = np.flatnonzero(is_leap(close, *((bars.high, bars.low) if bars.has_range else (None, None))))
    steps = np.diff(bars.day)
    return Breaks(
        count=len(bars),
        leaps=tuple(Leap(row, _day(bars, row), float(close[row] / close[row - 1])) for row in rows.tolist()),
        gap=_longest(bars, steps),
    )


def is_leap(close: FloatArray, high: FloatArray | None, low: FloatArray | None) -> Mask:
    """Return whether each bar leapt (n,); without highs and lows, by the closes alone."""
    import numpy as np

    found: Mask = np.zeros(len(close), dtype=np.bool_)
    before = close[:-1]
    if high is not None and low is not None:
        found[1:] = (low[1:] > before * LEAP_RATIO) | (high[1:] * LEAP_RATIO < before)
        return found
    found[1:] = (close[1:] > before * LEAP_RATIO) | (close[1:] * LEAP_RATIO < before)
    for row in np.flatnonzero(found).tolist():
        found[row] = _is_unusual(close, row)
    return found


def rests_on_leap(bars: DailyBars) -> Mask:
    """Return whether a leap lies within the window of each day (n,)."""
    import numpy as np

    resting: Mask = np.zeros(len(bars), dtype=np.bool_)
    for leap in breaks_of(bars).leaps:
        resting[leap.row : leap.row + WINDOW_DAYS] = True
    return resting


def _is_unusual(close: FloatArray, row: int) -> bool:
    """Whether the move into `row` is far beyond those of the quarter before it."""
    import numpy as np

    moves = np.abs(np.diff(np.log(close[max(0, row - 1 - _USUAL_DAYS) : row])))
    if len(moves) < _FEWEST_USUAL:
        return False
    usual = _TO_DEVIATION * float(np.median(moves))
    return abs(float(np.log(close[row] / close[row - 1]))) > _UNUSUAL * usual


def _longest(bars: DailyBars, steps: TimeArray) -> Gap | None:
    if len(steps) == 0 or int(steps.max()) <= LONG_GAP_DAYS:
        return None
    row = int(steps.argmax()) + 1
    return Gap(row, _day(bars, row), int(steps[row - 1]) - 1)


def _day(bars: DailyBars, row: int) -> date:
    return date.fromordinal(int(bars.day[row]) + _EPOCH)
