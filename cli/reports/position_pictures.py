"""The price with its trend band and the weight held, and wealth against holding throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cli.reports.chart import Chart, broken, dates_of, shade, shade_gaps
from cli.reports.sheet import area_mark, line_mark, new_sheet
from cli.reports.style import INK, LOG_SPAN, ORANGE, QUIET, SKY, in_amounts, in_factors, in_hundredths, share
from cli.reports.wealth_panels import compared, draw_wealth, put_key, two_panels, wealth_path
from when_to_invest.signals.trend import BAND_RATIO

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from when_to_invest.evaluation.positions import Courses
    from when_to_invest.evaluation.report import OverlayScore, PeriodScore

WIDTH: Final = 11.0
BAND: Final = "#F6DDA6"
"""The band around an average."""
EARNED_LESS: Final = "#FBE8CF"
"""Stretches in which holding earned more."""
LOWER_SHARPE: Final = "..."
"""Hatching of stretches in which holding had the higher Sharpe ratio."""


def draw_band(axes: Axes, chart: Chart) -> list[Artist]:
    """Draw the closes, their average and the band around it; return the keys."""
    dates, average = broken(chart.date, chart.average)
    low, high = average * (1.0 - BAND_RATIO), average * (1.0 + BAND_RATIO)
    axes.fill_between(dates, low, high, color=BAND, linewidth=0)
    axes.plot(dates, average, color=ORANGE, linewidth=1.2)
    axes.plot(*broken(chart.date, chart.close), color=INK, linewidth=1.1)
    name = f"{chart.average_name}, with its band of ±{BAND_RATIO:.0%}"
    return [line_mark("close", INK), line_mark(name, ORANGE, width=2.4)]


def price_picture(instrument: str, chart: Chart, courses: Courses) -> Figure:
    """Return the price with its trend band, above the share that the sizing held invested."""
    sheet = new_sheet(WIDTH, 6.4)
    dates, held = dates_of(courses.sized.opened_us), courses.sized.exposure
    top = sheet.head(
        f"{instrument}: the sizing was invested {share(float(held.mean()))} on average",
        "Above its average the sizing holds more; high volatility and breakers shrink it.",
    )
    price, weight = two_panels(sheet, top + 0.42, cut=4.5)
    shown = chart.since(dates[0])
    marks = draw_band(price, shown)
    price.set_ylabel("close")
    if shown.close.max() > LOG_SPAN * shown.close.min():
        in_factors(price)
    else:
        in_amounts(price)
    rows, shares = broken(dates, held)
    weight.fill_between(rows, shares, color=SKY, step="post", linewidth=0)
    weight.set(ylim=(0.0, 1.02), ylabel="invested")
    in_hundredths(weight)
    marks += [area_mark("invested share", SKY), *shade_gaps(dates, price, weight)]
    put_key(sheet, marks, top, price)
    return sheet.figure


def wealth_picture(instrument: str, courses: Courses, score: OverlayScore) -> Figure:
    """Return wealth and falls of the sizing against holding; both ways of losing are marked."""
    dates = dates_of(courses.sized.opened_us)
    paths = (
        wealth_path("the sizing", courses.sized.equity),
        wealth_path("holding throughout", courses.held.equity),
    )
    sheet = new_sheet(WIDTH, 7.2)
    top = sheet.head(f"{instrument}: {compared(paths)}", _wealth_words(score))
    panels = two_panels(sheet, top + 0.42, cut=4.85)
    marks = [*draw_wealth(panels, dates, paths), *_shade_periods(panels, score)]
    put_key(sheet, marks, top, panels[0])
    return sheet.figure


def _wealth_words(score: OverlayScore) -> str:
    if score.sharpe is None or score.sharpe_buy_hold is None:
        return "Too short to judge."
    return (
        f"After costs. Sharpe ratio {score.sharpe:.2f}, holding {score.sharpe_buy_hold:.2f}. "
        "Marked are the periods in which holding was better."
        if any(ways_lost(each) for each in score.periods)
        else f"After costs. Sharpe ratio {score.sharpe:.2f}, holding {score.sharpe_buy_hold:.2f}; "
        "holding was better in no period."
    )


def ways_lost(period: PeriodScore) -> tuple[str, ...]:
    """Return in which respects holding was better: less return, lower Sharpe ratio."""
    ours, theirs = period.return_ratio, period.return_buy_hold_ratio
    is_poorer = ours is not None and theirs is not None and ours < theirs
    return (*(("less return",) if is_poorer else ()), *(("lower Sharpe",) if period.is_lost else ()))


def _shade_periods(panels: tuple[Axes, Axes], score: OverlayScore) -> list[Artist]:
    """Tint periods with less return, dot those with a lower Sharpe ratio; return the keys."""
    import numpy as np

    found: set[str] = set()
    for each in score.periods:
        start, end = np.datetime64(each.start), np.datetime64(each.end)
        for way in ways_lost(each):
            found.add(way)
            for axes in panels:
                shade(axes, start, end, **_WAYS[way])
    marks = {
        "less return": area_mark("holding earned more", EARNED_LESS),
        "lower Sharpe": area_mark("holding had the higher Sharpe ratio", QUIET, hatch=LOWER_SHARPE),
    }
    return [mark for way, mark in marks.items() if way in found]


_WAYS: Final[dict[str, Any]] = {
    "less return": {"facecolor": EARNED_LESS, "linewidth": 0.0, "zorder": 0.1},
    "lower Sharpe": {
        "facecolor": "none", "edgecolor": "#C9CDD3", "hatch": LOWER_SHARPE, "linewidth": 0.0, "zorder": 0.2
    },
}  # fmt: skip
