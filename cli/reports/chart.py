"""Prices and their average, ready to be drawn: days or months as dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray, Snapshot, TimeArray

    Dates = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns (n,): dates, closes, and the average that the trend is read against (NaN at first)."""

    date: Dates
    close: FloatArray
    average: FloatArray
    average_name: str

    def since(self, start: np.datetime64) -> Chart:
        """Return the rows from `start` on."""
        rows = self.date >= start
        return Chart(self.date[rows], self.close[rows], self.average[rows], self.average_name)


def dates_of(opened_us: TimeArray) -> Dates:
    """Return instants in microseconds as dates."""
    dates: Dates = opened_us.astype("datetime64[us]").astype("datetime64[D]")
    return dates


def chart_of(snapshot: Snapshot) -> Chart:
    """Return the snapshot's days, or its months."""
    from when_to_invest.evaluation.monthly import is_monthly
    from when_to_invest.evaluation.sizing_history import MONTHS_OF_AVERAGE
    from when_to_invest.features.daily import DAY_US, daily_bars
    from when_to_invest.features.windows import rolling_mean
    from when_to_invest.signals.trend import SMA_WINDOW

    if is_monthly(snapshot):
        close = snapshot.bars.close
        average = rolling_mean(close, MONTHS_OF_AVERAGE)
        return Chart(dates_of(snapshot.bars.opened_us), close, average, f"{MONTHS_OF_AVERAGE}-month average")
    bars = daily_bars(snapshot)
    average = rolling_mean(bars.close, SMA_WINDOW)
    return Chart(dates_of(bars.day * DAY_US), bars.close, average, f"{SMA_WINDOW}-day average")
