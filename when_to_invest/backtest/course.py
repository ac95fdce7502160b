"""The course of a backtest: equity, exposure and trades, bar by bar.

Stage: backtest (pure). Both engines return it, which is how they can be held equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from when_to_invest.backtest.account import Trade

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, TimeArray


@dataclass(frozen=True, slots=True)
class Course:
    """Columns of equal length m: the bars of the trial, oldest first.

    `equity`: cash and holdings at the close, in units of the starting budget. `units`: what is
    held of the instrument. `arrivals`: cash added before the bar's fill. `fees` in units of the
    budget, `turnover` the sum of traded value over equity, `fills` how many. `trades` is empty
    from the vectorised engine, which counts them only.
    """

    opened_us: TimeArray
    close: FloatArray
    equity: FloatArray
    units: FloatArray
    arrivals: FloatArray
    growth: FloatArray
    fees: float
    turnover: float
    fills: int
    trades: tuple[Trade, ...] = ()

    def __len__(self) -> int:
        return len(self.equity)

    def opened_at(self, index: int) -> datetime:
        """Return the opening instant of bar `index` of the trial."""
        return datetime.fromtimestamp(0, tz=UTC) + timedelta(microseconds=int(self.opened_us[index]))

    @property
    def exposure(self) -> FloatArray:
        """Return the invested share of equity at each close (m,), 0 without equity."""
        import numpy as np

        shares = np.zeros(len(self))
        np.divide(self.units * self.close, self.equity, out=shares, where=self.equity > 0.0)
        return shares

    def returns(self) -> FloatArray:
        """Return the time-weighted return of each bar (m,): arriving cash is no gain."""
        import numpy as np

        before = np.concatenate(([0.0], self.equity[:-1])) + self.arrivals
        with np.errstate(divide="ignore", invalid="ignore"):
            result: FloatArray = np.where(before > 0.0, self.equity / before - 1.0, 0.0)
        return result

    def cash_returns(self) -> FloatArray:
        """Return what idle cash earned at each bar (m,)."""
        earned: FloatArray = self.growth - 1.0
        return earned
