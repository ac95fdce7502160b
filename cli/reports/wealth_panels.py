"""Wealth over time above the fall from its peak, of several paths over the same bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cli.reports.chart import broken, shade_gaps
from cli.reports.sheet import LEFT, MARGIN, UNDER, Place, Sheet, line_mark
from cli.reports.style import BLUE, GREY, INK, LOG_SPAN, by_dates, in_factors, in_hundredths, share

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from cli.reports.chart import Dates
    from cli.reports.sheet import LineStyle
    from when_to_invest.market import FloatArray, TimeArray

_MANY: Final = 10.0
LOOKS: Final[tuple[tuple[str, LineStyle, float], ...]] = (
    (BLUE, "-", 2.0),
    (GREY, "-", 1.3),
    (INK, "--", 1.1),
)
"""Colour, line and width of the first, second and third path."""


@dataclass(frozen=True, slots=True)
class WealthPath:
    """Wealth at each drawn date (m,), from 1 at the start, and how far below its peak it lay by then.

    `falls`: ratios of at most 0, the deepest of each date.
    """

    name: str
    wealth: FloatArray
    falls: FloatArray

    @property
    def deepest(self) -> str:
        """The deepest fall in words."""
        return share(abs(float(self.falls.min())))


def wealth_path(name: str, wealth: FloatArray, *, last: TimeArray | None = None) -> WealthPath:
    """Return a path of the rows `last` of the dates (all by default), the falls of every row in it."""
    import numpy as np

    falls = wealth / np.maximum.accumulate(np.maximum(wealth, 1.0)) - 1.0
    if last is None:
        return WealthPath(name, wealth, falls)
    starts = np.append(0, last[:-1] + 1)
    return WealthPath(name, wealth[last], np.minimum.reduceat(falls, starts))


def compared(paths: Sequence[WealthPath]) -> str:
    """Return gain and deepest fall of the first two paths in words."""
    ours, theirs = paths[0], paths[1]
    is_many = min(float(each.wealth[-1]) for each in (ours, theirs)) >= _MANY
    ends = [float(each.wealth[-1]) for each in (ours, theirs)]
    gains = [f"{end:,.0f}-fold" if is_many else f"{end - 1.0:+,.0%}" for end in ends]
    return (
        f"{gains[0]} with {ours.name}, {gains[1]} {theirs.name}; "
        f"deepest fall {ours.deepest} against {theirs.deepest}"
    )


def two_panels(sheet: Sheet, top: float, *, cut: float) -> tuple[Axes, Axes]:
    """Return two panels over the same dates, the upper one ending at `cut` inches."""
    room = sheet.width - LEFT - MARGIN
    upper = sheet.panel(Place(LEFT, top, room), bottom=cut)
    lower = sheet.panel(Place(LEFT, cut + 0.18, room), bottom=sheet.height - UNDER, sharex=upper)
    upper.tick_params(labelbottom=False)
    by_dates(lower)
    lower.margins(x=0.01)
    return upper, lower


def draw_wealth(panels: tuple[Axes, Axes], dates: Dates, paths: Sequence[WealthPath]) -> list[Artist]:
    """Draw every path, the first one on top; return the keys."""
    top, bottom = panels
    marks = []
    for order, (path, (colour, style, width)) in enumerate(zip(paths, LOOKS, strict=False)):
        above = 3.0 - 0.1 * order
        top.plot(*broken(dates, path.wealth), color=colour, linestyle=style, linewidth=width, zorder=above)
        rows, falls = broken(dates, path.falls)
        bottom.plot(rows, falls, color=colour, linestyle=style, linewidth=0.6 * width, zorder=above)
        if not order:
            bottom.fill_between(rows, falls, color=colour, alpha=0.15, linewidth=0)
        marks.append(
            line_mark(f"{path.name} (deepest fall {path.deepest})", colour, style=style, width=width)
        )
    top.set_ylabel("wealth, from 1")
    bottom.set_ylabel("below the peak")
    if max(float(path.wealth.max()) for path in paths) > LOG_SPAN and _is_positive(paths):
        in_factors(top)
    bottom.set_ylim(top=0.0)
    in_hundredths(bottom)
    return [*marks, *shade_gaps(dates, top, bottom)]


def _is_positive(paths: Sequence[WealthPath]) -> bool:
    return all(float(path.wealth.min()) > 0.0 for path in paths)


def put_key(sheet: Sheet, marks: Sequence[Artist], top: float, panel: Axes) -> None:
    """Explain marks from `top` inches on, and let the uppermost panel begin below them."""
    below = sheet.key(marks, Place(MARGIN, top + 0.1, sheet.width - 2.0 * MARGIN))
    sheet.fit(panel, top=below + 0.1)
