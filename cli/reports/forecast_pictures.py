"""Odds of a fall over time, and the range of returns, each beside what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cli.reports.chart import broken, dates_of, gap_rows, shade, shade_gaps
from cli.reports.reliability_picture import THRESHOLD
from cli.reports.sheet import LEFT, MARGIN, UNDER, Place, area_mark, dot_mark, line_mark, new_sheet
from cli.reports.style import BLUE, GREY, INK, RED, by_dates, in_hundredths, share
from cli.reports.wealth_panels import put_key
from when_to_invest.features.daily import DAY_US

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cli.reports.chart import Dates
    from cli.reports.sheet import Sheet
    from when_to_invest.models.walk_forward import Forecasts

HORIZON: Final = 21
WIDTH: Final = 11.0
FOLLOWED: Final = "#F7DFD0"
"""Days that a fall followed."""
RANGE: Final = "#B9DDF5"


def odds_picture(made: Forecasts) -> Figure:
    """Return the odds of a fall on each day, its usual frequency, and the days that a fall followed."""
    import numpy as np

    at, column = made.horizons.index(HORIZON), made.thresholds.index(THRESHOLD)
    odds, base, came = (each[:, at, column] for each in (made.drop, made.drop_base, made.drop_came))
    dates = dates_of(made.day * DAY_US)
    sheet = new_sheet(WIDTH, 5.0)
    over = np.isfinite(came)
    often = (
        f"such a fall followed {share(float(came[over].mean()))} of them"
        if over.any()
        else "none is over yet"
    )
    top = sheet.head(
        f"{made.instrument}: the odds of a fall of {THRESHOLD:.0%} within {HORIZON} days "
        f"ran from {share(float(odds.min()))} to {share(float(odds.max()))}",
        f"Each day's odds were made from what was known that day. Of {int(over.sum()):,} days, {often}.",
    )
    axes = _axes(sheet, top)
    for start, stop in runs(dates, came == 1.0):
        shade(axes, start, stop, facecolor=FOLLOWED, linewidth=0.0, zorder=0.1)
    axes.plot(*broken(dates, odds), color=BLUE, linewidth=1.0)
    axes.plot(*broken(dates, base), color=INK, linestyle="--", linewidth=1.2)
    axes.set_ylim(0.0, min(1.0, 1.08 * float(max(odds.max(), base.max()))))
    axes.set_ylabel("odds")
    marks = [
        line_mark("odds that day", BLUE),
        line_mark("how often until then", INK, style="--"),
        area_mark("a fall followed", FOLLOWED),
        *shade_gaps(dates, axes),
    ]
    put_key(sheet, marks, top, axes)
    return sheet.figure


def _axes(sheet: Sheet, top: float) -> Axes:
    room = WIDTH - LEFT - MARGIN
    axes = sheet.panel(Place(LEFT, top + 0.42, room), bottom=sheet.height - UNDER)
    by_dates(axes)
    in_hundredths(axes)
    axes.margins(x=0.01)
    return axes


def runs(dates: Dates, is_on: NDArray[np.bool_]) -> list[tuple[np.datetime64, np.datetime64]]:
    """Return first day and day after the last of each unbroken run of `is_on` (n,)."""
    import numpy as np

    if not len(dates):
        return []
    starts_anew = np.zeros(len(dates), dtype=np.bool_)
    starts_anew[gap_rows(dates)] = True
    before = np.concatenate(([False], is_on[:-1])) & ~starts_anew
    starts = np.flatnonzero(is_on & ~before)
    after = np.append(is_on[1:] & ~starts_anew[1:], False)
    stops = np.flatnonzero(is_on & ~after)
    day = np.timedelta64(1, "D")
    return [(dates[start], dates[stop] + day) for start, stop in zip(starts, stops, strict=True)]


def range_picture(made: Forecasts) -> Figure:
    """Return the 90 % range of the 21-day return on each day, and the returns that left it."""
    import numpy as np

    at = made.horizons.index(HORIZON)
    low, high, came = made.quantiles[:, at, 0], made.quantiles[:, at, -1], made.return_came[:, at]
    dates = dates_of(made.day * DAY_US)
    over = np.isfinite(came)
    left = (came < low) | (came > high)
    sheet = new_sheet(WIDTH, 5.0)
    top = sheet.head(f"{made.instrument}: {held_words(left[over])}", _RIGHT)
    axes = _axes(sheet, top)
    rows, lower = broken(dates, low)
    axes.fill_between(rows, lower, broken(dates, high)[1], color=RANGE, linewidth=0)
    axes.plot(*broken(dates, came), color=INK, linewidth=0.7)
    axes.scatter(dates[left], came[left], s=7, color=RED, zorder=3)
    axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)
    axes.set_ylabel(f"return of the next {HORIZON} days")
    marks = [
        area_mark("90% range given that day", RANGE),
        line_mark("what came", INK, width=1.0),
        dot_mark("outside the range", RED, size=4.0),
        *shade_gaps(dates, axes),
    ]
    put_key(sheet, marks, top, axes)
    return sheet.figure


_RIGHT: Final = (
    "A range is right when returns leave it on a tenth of the days: fewer means it was too wide, "
    "more too narrow."
)


def held_words(left: NDArray[np.bool_]) -> str:
    """Return on how many of the days whose outcome is known the range held."""
    if not len(left):
        return f"no {HORIZON}-day return is known yet"
    held = 1.0 - float(left.mean())
    return f"the 90% range of the next {HORIZON} days' return held on {held:.1%} of {len(left):,} days"
