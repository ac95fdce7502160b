"""Odds of a fall over time, how often they came true, and the range of returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cli.reports.chart import dates_of
from cli.reports.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    PALE,
    RED,
    SKY,
    in_hundredths,
    legend_above,
    new_figure,
    subtitle,
)
from when_to_invest.features.daily import DAY_US

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from when_to_invest.market import FloatArray
    from when_to_invest.models.walk_forward import Forecasts

THRESHOLD: Final = 0.05
HORIZON: Final = 21
GROUPS: Final = 8
"""Days are grouped by their odds into so many groups."""
_FEWEST_A_GROUP: Final = 20
_SURE: Final = 1.645


def odds_picture(made: Forecasts) -> Figure:
    """Return the odds of a fall on each day, its usual frequency, and the days that a fall followed."""
    figure = new_figure(11.0, 4.4)
    axes = figure.subplots()
    odds, base, came = _drop(made)
    dates = dates_of(made.day * DAY_US)
    followed = came == 1.0
    axes.fill_between(
        dates, 0.0, 1.0, where=followed, transform=axes.get_xaxis_transform(), color=RED, alpha=0.16,
        linewidth=0, label="a fall followed",
    )  # fmt: skip
    axes.plot(dates, odds, color=BLUE, linewidth=1.0, label="odds that day")
    axes.plot(dates, base, color=INK, linestyle="--", linewidth=1.2, label="its frequency until then")
    axes.set_title(f"{made.instrument}: odds of a fall of {THRESHOLD:.0%} within {HORIZON} days")
    subtitle(axes, "Each day's odds were made from what was known that day.")
    axes.set_ylim(0.0, max(0.6, float(odds.max()) * 1.08))
    in_hundredths(axes)
    axes.margins(x=0.01)
    legend_above(axes)
    return figure


def reliability_picture(made: Forecasts) -> Figure:
    """Return how often a fall came, against the odds given, for two horizons."""
    figure = new_figure(11.0, 5.4)
    pairs = [(horizon, axes) for horizon, axes in zip((5, HORIZON), figure.subplots(1, 2), strict=True)]
    for horizon, axes in pairs:
        _draw_reliability(axes, made, horizon)
    figure.suptitle(
        f"{made.instrument}: when it said so, how often did a fall of {THRESHOLD:.0%} come?",
        x=0.01, ha="left", fontsize=13, fontweight="bold",
    )  # fmt: skip
    return figure


def _draw_reliability(axes: Axes, made: Forecasts, horizon: int) -> None:
    import numpy as np

    odds, _, came = _drop(made, horizon=horizon)
    over = np.isfinite(came)
    found = grouped(odds[over], came[over], horizon=horizon)
    top = max((0.1, *(1.12 * max(each.said, each.high) for each in found)))
    axes.plot((0.0, top), (0.0, top), color=GREY, linestyle="--", linewidth=1.2, label="perfect")
    axes.axhline(
        float(came[over].mean()), color=GREEN, linewidth=1.2, linestyle=":", label="how often in all"
    )
    axes.vlines(
        [each.said for each in found], [each.low for each in found], [each.high for each in found],
        color=BLUE, linewidth=1.4, alpha=0.7,
    )  # fmt: skip
    axes.plot([each.said for each in found], [each.came for each in found], color=BLUE, linewidth=1.0)
    axes.scatter(
        [each.said for each in found], [each.came for each in found], s=[each.area for each in found],
        color=BLUE, edgecolor="white", zorder=3, label="days by their odds (area: how many)",
    )  # fmt: skip
    axes.set(xlim=(0.0, top), ylim=(0.0, top), xlabel="odds given", ylabel="came true")
    axes.set_aspect("equal")
    axes.set_title(f"within {horizon} days", fontsize=11)
    for axis in ("x", "y"):
        in_hundredths(axes, axis=axis)
    axes.legend(loc="lower right", markerscale=0.6)


@dataclass(frozen=True, slots=True)
class Point:
    """Days of similar odds: mean odds, how often it came with its 90 % range, and a drawn area."""

    said: float
    came: float
    low: float
    high: float
    area: float


def grouped(odds: FloatArray, came: FloatArray, *, horizon: int) -> list[Point]:
    """Return groups by rising odds in each of which equally many falls were expected.

    Outcomes overlap, so a group counts as its size over the horizon, at least one.
    """
    import numpy as np

    if len(odds) < GROUPS * _FEWEST_A_GROUP:
        return []
    order = np.argsort(odds, kind="stable")
    expected = np.cumsum(odds[order])
    edges = np.searchsorted(expected, np.linspace(0.0, expected[-1], GROUPS + 1)[1:-1])
    return [
        _point(odds[part], came[part], share=len(part) / len(odds), horizon=horizon)
        for part in np.split(order, edges)
        if len(part) >= _FEWEST_A_GROUP
    ]


def _point(odds: FloatArray, came: FloatArray, *, share: float, horizon: int) -> Point:
    """Return one group; its range is that of Wilson (1927)."""
    size, rate = max(1.0, len(odds) / horizon), float(came.mean())
    spread = _SURE * (rate * (1.0 - rate) / size + _SURE**2 / (4.0 * size**2)) ** 0.5
    centre, scale = rate + _SURE**2 / (2.0 * size), 1.0 + _SURE**2 / size
    return Point(
        said=float(odds.mean()),
        came=rate,
        low=max(0.0, (centre - spread) / scale),
        high=(centre + spread) / scale,
        area=40.0 + 500.0 * share,
    )


def range_picture(made: Forecasts) -> Figure:
    """Return the 0.9 range of the 21-day return on each day, and the returns that left it."""
    import numpy as np

    figure = new_figure(11.0, 4.4)
    axes = figure.subplots()
    at = made.horizons.index(HORIZON)
    low, high = made.quantiles[:, at, 0], made.quantiles[:, at, -1]
    came, dates = made.return_came[:, at], dates_of(made.day * DAY_US)
    left = (came < low) | (came > high)
    axes.fill_between(dates, low, high, color=SKY, alpha=0.45, linewidth=0, label="0.9 range given that day")
    axes.plot(dates, came, color=INK, linewidth=0.7, label="what came")
    axes.scatter(dates[left], came[left], s=7, color=RED, zorder=3, label="outside")
    held = 1.0 - float(left[np.isfinite(came)].mean())
    axes.axhline(0.0, color=PALE, linewidth=1.2, zorder=1)
    axes.set_title(f"{made.instrument}: return of the next {HORIZON} days, and the range given for it")
    subtitle(axes, f"The range held on {held:.1%} of the days; 90% is right.")
    in_hundredths(axes)
    axes.margins(x=0.01)
    legend_above(axes)
    return figure


def _drop(made: Forecasts, *, horizon: int = HORIZON) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return odds, base rates and outcomes of the fall that is drawn."""
    at, column = made.horizons.index(horizon), made.thresholds.index(THRESHOLD)
    return made.drop[:, at, column], made.drop_base[:, at, column], made.drop_came[:, at, column]
