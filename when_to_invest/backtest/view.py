"""What a strategy sees: the bars that have closed, the moment, and its own account.

Stage: backtest (pure).

# INVARIANT: the future is not there to be reached. Bars are copied into this view's own
# columns one by one as they close; rows after the newest hold NaN, so not even the base of a
# slice leads to a bar that has not closed.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from when_to_invest.backtest.calendar import bars_per_year
from when_to_invest.instruments import Instrument
from when_to_invest.market import BarSeries, Snapshot, closed_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray, TimeArray

Column = TypeVar("Column", bound="NDArray[np.generic]")
_OPEN, _HIGH, _LOW, _CLOSE, _VOLUME = range(5)


class MarketView:
    """The closed bars so far, as read-only columns, oldest first; `len(view)` of them.

    `weight`: invested share of equity in [0, 1] at the newest close. `equity` and `cash`: in
    units of the starting budget.
    """

    def __init__(self, instrument: Instrument, capacity: int) -> None:
        import numpy as np

        self.instrument = instrument
        self.weight = 0.0
        self.equity = 0.0
        self.cash = 0.0
        self._count = 0
        self._opened_us = np.zeros(capacity, dtype=np.int64)
        self._prices = np.full((5, capacity), np.nan)
        self._locked_times = _locked(self._opened_us)
        self._locked_prices = tuple(_locked(row) for row in self._prices)

    def __len__(self) -> int:
        return self._count

    @property
    def opened_us(self) -> TimeArray:
        """Return when each bar opened: microseconds since 1970 UTC."""
        return self._locked_times[: self._count]

    @property
    def open(self) -> FloatArray:
        """Return the opening prices; NaN for close-only instruments."""
        return self._locked_prices[_OPEN][: self._count]

    @property
    def high(self) -> FloatArray:
        """Return the highest prices; NaN for close-only instruments."""
        return self._locked_prices[_HIGH][: self._count]

    @property
    def low(self) -> FloatArray:
        """Return the lowest prices; NaN for close-only instruments."""
        return self._locked_prices[_LOW][: self._count]

    @property
    def close(self) -> FloatArray:
        """Return the closing prices."""
        return self._locked_prices[_CLOSE][: self._count]

    @property
    def volume(self) -> FloatArray:
        """Return the volumes; NaN where they are unknown."""
        return self._locked_prices[_VOLUME][: self._count]

    @property
    def now(self) -> datetime:
        """Return when the newest bar closed: the moment of the decision."""
        opened = self.bars().opened_at(-1)
        return closed_at(opened, interval=self.instrument.interval, session=self.instrument.session)

    @property
    def bars_per_year(self) -> float:
        """Return how many bars a year of this instrument has."""
        return bars_per_year(self.instrument)

    def bars(self) -> BarSeries:
        """Return the closed bars as a series."""
        return BarSeries(self.opened_us, self.open, self.high, self.low, self.close, self.volume)

    def snapshot(self) -> Snapshot:
        """Return what the live analysis would have been given at this moment."""
        return Snapshot(instrument=self.instrument, as_of=self.now, bars=self.bars())

    def admit(self, bars: BarSeries, index: int) -> None:
        """Let bar `index` of `bars` become visible; the engine calls this when it closes."""
        at = self._count
        self._opened_us[at] = bars.opened_us[index]
        prices = self._prices
        prices[_OPEN, at] = bars.open[index]
        prices[_HIGH, at] = bars.high[index]
        prices[_LOW, at] = bars.low[index]
        prices[_CLOSE, at] = bars.close[index]
        prices[_VOLUME, at] = bars.volume[index]
        self._count = at + 1


def _locked(column: Column) -> Column:
    locked = column.view()
    locked.flags.writeable = False
    return locked
