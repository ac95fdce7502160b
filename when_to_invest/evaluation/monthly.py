"""Months of a snapshot: what was known at each month's end, and what money paid after it.

Stage: evaluation (pure). Only months that were over count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from when_to_invest.features.daily import DAY_US, DailyBars
from when_to_invest.instruments import Interval

if TYPE_CHECKING:
    from datetime import date

    from when_to_invest.market import FloatArray, Snapshot, TimeArray


@dataclass(frozen=True, slots=True)
class Months:
    """One row a calendar month, oldest first.

    `month` (n,): months since 1970. `close`: at the month's end. `price`: what money that goes
    in during the month pays, set after the close of the month before: the next day's open,
    or its close where only closes are known, or, of monthly data, that close itself.
    """

    month: TimeArray
    close: FloatArray
    price: FloatArray

    def first_from(self, day: date) -> int:
        """Return the first row whose month begins on `day` or later."""
        return self._row(day.year, day.month + (day.day > 1))

    def first_after(self, day: date) -> int:
        """Return the first row whose month begins after `day`."""
        return self._row(day.year, day.month + 1)

    def began(self, row: int) -> date:
        """Return the first day of a row's month."""
        from datetime import date as calendar

        return calendar(1970 + int(self.month[row]) // 12, int(self.month[row]) % 12 + 1, 1)

    def _row(self, year: int, month: int) -> int:
        import numpy as np

        return int(np.searchsorted(self.month, (year - 1970) * 12 + month - 1))


def months_of_days(bars: DailyBars) -> Months:
    """Return the calendar months of daily bars, without a last one that may not be over."""
    import numpy as np

    month = (bars.day * DAY_US).astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    starts = np.flatnonzero(np.diff(month, prepend=month[0] - 1))
    paid = bars.open if bars.has_range else bars.close
    # The last month gives its first price; its close is not final.
    return Months(
        month=month[starts],
        close=np.append(bars.close[starts[1:] - 1], bars.close[-1]),
        price=paid[starts],
    )


def months_of_months(snapshot: Snapshot) -> Months:
    """Return the rows of a monthly snapshot; money pays the close of the month before."""
    import numpy as np

    bars = snapshot.bars
    month = bars.opened_us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    following = np.append(month, month[-1] + 1)
    # One row more than there are closes: the newest close is a price for the month to come.
    return Months(
        month=following,
        close=np.append(bars.close, bars.close[-1]),
        price=np.append(bars.close[:1], bars.close),
    )


def is_monthly(snapshot: Snapshot) -> bool:
    """Whether the snapshot's own bars are months."""
    return snapshot.instrument.interval is Interval.MONTH
