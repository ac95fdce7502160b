"""Prices and their average, ready to be drawn: days or months as dates, broken where bars are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cli.reports.sheet import area_mark
from cli.reports.style import GREY

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray, Snapshot, TimeArray

    Dates = NDArray[np.datetime64]

GAP_DAYS: Final = 7
"""Neighbouring days further apart than this have a gap between them; exchanges closed for so long."""
GAP_MONTH_DAYS: Final = 45
_MONTHLY_STEP: Final = 20


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


def place_of(day: np.datetime64) -> float:
    """Return where a day lies on an axis of dates: days since 1970, as matplotlib counts them."""
    return float(day.astype("datetime64[D]").astype("int64"))


def shade(axes: Axes, start: np.datetime64, stop: np.datetime64, **look: Any) -> None:
    """Shade the days from `start` to `stop` over the whole height."""
    axes.axvspan(place_of(start), place_of(stop), **look)


def gap_rows(dates: Dates) -> TimeArray:
    """Return the rows (k,) before which bars are missing."""
    import numpy as np

    steps = np.diff(dates).astype(np.int64)
    usual = int(np.median(steps)) if len(steps) else 1
    longest = GAP_MONTH_DAYS if usual > _MONTHLY_STEP else GAP_DAYS
    return np.flatnonzero(steps > longest) + 1


def broken(dates: Dates, column: FloatArray) -> tuple[Dates, FloatArray]:
    """Return both with an unknown row inside each gap, so that no line bridges it."""
    import numpy as np

    rows = gap_rows(dates)
    inside = dates[rows - 1] + np.timedelta64(1, "D")
    return np.insert(dates, rows, inside), np.insert(column.astype(np.float64), rows, np.nan)


def shade_gaps(dates: Dates, *panels: Axes) -> list[Artist]:
    """Hatch every gap in each panel; return the key, if there is a gap at all."""
    rows = gap_rows(dates)
    for axes in panels:
        for row in rows:
            shade(axes, dates[row - 1], dates[row], **_GAP)
    return [area_mark("no data", GREY, hatch="////")] if len(rows) else []


_GAP: Final[dict[str, Any]] = {
    "facecolor": "white",
    "edgecolor": GREY,
    "hatch": "////",
    "linewidth": 0.0,
    "zorder": 0.5,
}
