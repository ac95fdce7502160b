"""The price with its trend band and the weight held, and wealth against holding throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cli.reports.chart import Chart, dates_of
from cli.reports.style import BLUE, GREY, INK, ORANGE, SKY, in_hundredths, new_figure, subtitle
from when_to_invest.signals.trend import BAND_RATIO

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from when_to_invest.evaluation.positions import Courses
    from when_to_invest.evaluation.report import OverlayScore
    from when_to_invest.market import FloatArray

LOG_SPAN: Final = 3.0
"""Prices that grew by more than this factor are drawn on a logarithmic scale."""

_WIDE: Final = 30.0


def draw_band(axes: Axes, chart: Chart) -> None:
    """Draw the closes, their average and the band around it."""
    low, high = chart.average * (1.0 - BAND_RATIO), chart.average * (1.0 + BAND_RATIO)
    axes.fill_between(chart.date, low, high, color=ORANGE, alpha=0.35, linewidth=0)
    axes.plot(
        chart.date, chart.average, color=ORANGE, linewidth=1.2, label=f"{chart.average_name}, with its band"
    )
    axes.plot(chart.date, chart.close, color=INK, linewidth=1.1, label="close")
    if chart.close.max() > LOG_SPAN * chart.close.min():
        _scale_by_factors(axes)


def _scale_by_factors(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=10.0, subs=_steps(axes.get_ylim())))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _steps(limits: tuple[float, float]) -> tuple[float, ...]:
    """Return which multiples of powers of ten are labelled: many where the axis spans little."""
    return (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if limits[1] < _WIDE * limits[0] else (1.0, 2.0, 5.0)


def price_picture(instrument: str, chart: Chart, courses: Courses) -> Figure:
    """Return the price with its trend band, above the weight that the sizing held."""
    figure = new_figure(11.0, 6.2)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    dates = dates_of(courses.sized.opened_us)
    draw_band(top, chart.since(dates[0]))
    top.set_title(f"{instrument}: price, trend and weight")
    subtitle(top, "Above its average the sizing holds more; high volatility and breakers shrink it.")
    top.legend(loc="upper left")
    bottom.fill_between(dates, courses.sized.exposure, color=SKY, alpha=0.6, step="post", linewidth=0)
    bottom.set_ylim(0.0, 1.0)
    bottom.set_ylabel("invested share")
    in_hundredths(bottom)
    bottom.margins(x=0.01)
    return figure


def wealth_picture(instrument: str, courses: Courses, score: OverlayScore) -> Figure:
    """Return wealth and falls of the sizing against holding; periods that were lost are shaded."""
    figure = new_figure(11.0, 6.6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    dates = dates_of(courses.sized.opened_us)
    for axes in (top, bottom):
        _shade_lost(axes, score)
    paths = (
        ("holding throughout", courses.held.equity, GREY, 1.2),
        ("sizing", courses.sized.equity, BLUE, 2.0),
    )
    for name, equity, colour, width in paths:
        top.plot(dates, equity, color=colour, linewidth=width, label=name)
        falls = _falls(equity)
        bottom.plot(dates, falls, color=colour, linewidth=0.6 * width)
        bottom.fill_between(dates, falls, color=colour, alpha=0.15, linewidth=0)
        deepest = int(falls.argmin())
        bottom.annotate(
            f"{falls[deepest]:.0%}",
            (dates[deepest], falls[deepest]),
            textcoords="offset points",
            xytext=(6, -2),
            color=colour if colour != GREY else INK,
            fontsize=10,
            fontweight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.0},
        )
    top.set_title(f"{instrument}: the sizing as a position, after costs")
    subtitle(top, _wealth_words(score))
    if max(courses.held.equity.max(), courses.sized.equity.max()) > LOG_SPAN:
        _scale_by_factors(top)
    top.set_ylabel("wealth from 1")
    top.legend(loc="upper left")
    bottom.set_ylabel("fall from the peak")
    bottom.set_ylim(top=0.0)
    in_hundredths(bottom)
    bottom.margins(x=0.01)
    return figure


def _wealth_words(score: OverlayScore) -> str:
    lost = (
        "; shaded: years in which holding was better" if any(each.is_lost for each in score.periods) else ""
    )
    if score.sharpe is None or score.sharpe_buy_hold is None:
        return "Too short to judge."
    return f"Sharpe ratio {score.sharpe:.2f} against {score.sharpe_buy_hold:.2f} of holding{lost}."


def _falls(equity: FloatArray) -> FloatArray:
    import numpy as np

    falls: FloatArray = equity / np.maximum.accumulate(equity) - 1.0
    return falls


def _shade_lost(axes: Axes, score: OverlayScore) -> None:
    import numpy as np

    for each in score.periods:
        if each.is_lost:
            span = [np.datetime64(day) for day in (each.start, each.end)]
            axes.axvspan(*span, color=ORANGE, alpha=0.13, linewidth=0, zorder=0)  # type: ignore[arg-type]
