"""Monthly rules: decided once a month, on the closes of months that are over.

Stage: backtest (pure). A month is over when a bar closes in the next one, so on an exchange the
decision falls on the first close of the new month. Sources: Faber (2007) for ten months;
Moskowitz, Ooi and Pedersen (2012) for twelve-month momentum, long or in cash.
"""

from __future__ import annotations

from typing import Final

from when_to_invest.backtest.calendar import MONTHS_PER_YEAR, closing_month, month_of
from when_to_invest.backtest.view import MarketView

FABER_MONTHS: Final = 10


class MonthEnds:
    """The last closes of completed months, gathered from a growing view."""

    def __init__(self) -> None:
        self.closes: list[float] = []
        self._seen = 0
        self._open_month: int | None = None

    def read(self, view: MarketView) -> bool:
        """Take in new bars; return whether a month has ended since the last call."""
        known = len(self.closes)
        for index in range(self._seen, len(view)):
            self._take(view, index)
        self._seen = len(view)
        return len(self.closes) > known

    def _take(self, view: MarketView, index: int) -> None:
        opened = int(view.opened_us[index])
        if self._open_month is not None and month_of(opened) > self._open_month:
            self.closes.append(float(view.close[index - 1]))
        self._open_month = month_of(opened)
        if closing_month(opened, view.instrument) > self._open_month:
            self.closes.append(float(view.close[index]))
            self._open_month = None


class TenMonthAverage:
    """Invested while the last month's close lies above the average of the last ten."""

    name = "sma10_months"

    def __init__(self) -> None:
        self._ends = MonthEnds()

    def decide(self, view: MarketView) -> float | None:
        """Decide when a month has ended, once there are ten."""
        if not self._ends.read(view) or len(self._ends.closes) < FABER_MONTHS:
            return None
        recent = self._ends.closes[-FABER_MONTHS:]
        return 1.0 if recent[-1] > sum(recent) / FABER_MONTHS else 0.0


class YearMomentum:
    """Invested while the last month's close lies above that of twelve months before."""

    name = "tsmom_12m"

    def __init__(self) -> None:
        self._ends = MonthEnds()

    def decide(self, view: MarketView) -> float | None:
        """Decide when a month has ended, once there are thirteen."""
        if not self._ends.read(view) or len(self._ends.closes) <= MONTHS_PER_YEAR:
            return None
        return 1.0 if self._ends.closes[-1] > self._ends.closes[-1 - MONTHS_PER_YEAR] else 0.0
