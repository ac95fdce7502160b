"""How often a fall came, against the odds that were given for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cli.reports.sheet import LEFT, MARGIN, PART, SMALL, Place, Sheet, dot_mark, line_mark, new_sheet
from cli.reports.style import BLUE, GREEN, GREY, in_hundredths, share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from when_to_invest.market import FloatArray, TimeArray
    from when_to_invest.models.walk_forward import Forecasts

THRESHOLD: Final = 0.05
HORIZONS: Final = (5, 21)
GROUPS: Final = 8
"""Days are grouped by their odds into so many groups."""
_FEWEST_A_GROUP: Final = 20
_SURE: Final = 1.645
_SIDE: Final = 4.3
"""Inches along each axis: equal, so that the diagonal is one."""
_APART: Final = 5.3


def reliability_picture(made: Forecasts) -> Figure:
    """Return how often a fall came, against the odds given, for two horizons."""
    sheet = new_sheet(11.0, 6.75)
    top = sheet.head(
        f"{made.instrument}: {_finding(made)}",
        "Points on the dashed line are right; below it the odds were too high, above it too low.",
    )
    marks = [
        line_mark("as often as said", GREY, style="--"),
        line_mark("how often in all", GREEN, style=":"),
        dot_mark("days of similar odds (area: how many)", BLUE, size=7.0),
        line_mark("90% range of that frequency (an arrow: it goes on)", BLUE, width=1.2),
    ]
    top = sheet.key(marks, Place(MARGIN, top + 0.1, sheet.width - 2.0 * MARGIN)) + 0.2
    for number, horizon in enumerate(HORIZONS):
        _panel(sheet, made, horizon, Place(LEFT + number * _APART, top, _SIDE))
    return sheet.figure


def _finding(made: Forecasts) -> str:
    odds, came = _judged(made, HORIZONS[-1])
    fall = f"a fall of {THRESHOLD:.0%} within {HORIZONS[-1]} days"
    if not len(odds):
        return f"the odds of {fall} cannot be judged yet"
    said, rate = share(float(odds.mean())), share(float(came.mean()))
    return f"{fall} was given odds of {said} on average, and {rate} came"


def _judged(made: Forecasts, horizon: int) -> tuple[FloatArray, FloatArray]:
    """Return odds and outcomes of the days whose outcome is known."""
    import numpy as np

    at, column = made.horizons.index(horizon), made.thresholds.index(THRESHOLD)
    over = np.isfinite(made.drop_came[:, at, column])
    return made.drop[over, at, column], made.drop_came[over, at, column]


def _panel(sheet: Sheet, made: Forecasts, horizon: int, place: Place) -> None:
    odds, came = _judged(made, horizon)
    found = grouped(odds, came, horizon=horizon)
    said, rate = (float(each.mean()) if len(each) else 0.0 for each in (odds, came))
    top = sheet.write(f"Within {horizon} days", place, PART)
    words = (
        f"on average {share(said)} were said, and {share(rate)} came" if found else "too few days to group"
    )
    top = sheet.write(words, Place(place.left, top, place.width), SMALL)
    axes = sheet.panel(Place(place.left, top + 0.1, _SIDE), bottom=top + 0.1 + _SIDE)
    _draw(axes, found, rate=rate)


def _draw(axes: Axes, found: list[Point], *, rate: float) -> None:
    end = limit(found, rate=rate)
    axes.plot((0.0, end), (0.0, end), color=GREY, linestyle="--", linewidth=1.2)
    axes.axhline(rate, color=GREEN, linewidth=1.4, linestyle=":")
    said = [each.said for each in found]
    highs = [min(each.high, end) for each in found]
    axes.vlines(said, [each.low for each in found], highs, color=BLUE, linewidth=1.2, alpha=0.7)
    beyond = [each.said for each in found if each.high > end]
    axes.scatter(beyond, [end] * len(beyond), marker="^", s=28, color=BLUE, clip_on=False, zorder=4)
    came = [each.came for each in found]
    axes.plot(said, came, color=BLUE, linewidth=1.0)
    areas = [each.area for each in found]
    axes.scatter(said, came, s=areas, color=BLUE, edgecolor="white", zorder=3)
    axes.set(xlim=(0.0, end), ylim=(0.0, end), xlabel="odds given", ylabel="came true")
    for axis in ("x", "y"):
        in_hundredths(axes, axis=axis)


def limit(found: list[Point], *, rate: float) -> float:
    """Return where the axes end: just beyond the points, however wide their ranges are."""
    farthest = max((max(each.said, each.came) for each in found), default=0.0)
    return min(1.0, max(0.05, 1.2 * farthest, 1.2 * rate))


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
    parts = _merged(np.split(order, edges))
    return [_point(odds[part], came[part], share=len(part) / len(odds), horizon=horizon) for part in parts]


def _merged(parts: list[TimeArray]) -> list[TimeArray]:
    """Join groups too small to judge with their neighbours, so that no day is left out."""
    import numpy as np

    found: list[TimeArray] = []
    for part in parts:
        if found and min(len(part), len(found[-1])) < _FEWEST_A_GROUP:
            found[-1] = np.concatenate((found[-1], part))
        else:
            found.append(part)
    return found


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
        area=40.0 + 400.0 * share,
    )
