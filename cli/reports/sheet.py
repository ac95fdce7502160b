"""A figure laid out in inches from its upper left corner: words, then keys, then panels.

Keys stand between the words and the panels, never on the data; every panel that begins at
`LEFT` begins at the same place in every picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from cli.reports.style import INK, QUIET

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.text import Text

    LineStyle = Literal["-", "--", "-.", ":"]

MARGIN: Final = 0.3
LEFT: Final = 1.1
"""Where panels begin: room for the numbers of an axis and its unit."""
UNDER: Final = 0.45
"""Room under a panel for the numbers of its axis."""
_POINTS: Final = 72.0
_LINE: Final = 1.35
_LABEL: Final = 0.68
"""Inches that the name of an axis stands left of it, wide numbers or not."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How words look: size in points, colour, weight."""

    size: float
    colour: str = INK
    is_bold: bool = False


TITLE: Final = Pen(15.0, is_bold=True)
PART: Final = Pen(11.5, is_bold=True)
SMALL: Final = Pen(9.5, QUIET)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something begins, and how wide it may be, in inches from the upper left corner."""

    left: float
    top: float
    width: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """A figure and its size in inches."""

    figure: Figure
    width: float
    height: float

    def write(self, text: str, place: Place, pen: Pen) -> float:
        """Write `text` in as many lines as it needs; return where they end."""
        step = pen.size * _LINE / _POINTS
        top = place.top
        for line in self._lines(text, place.width, pen):
            self._text(line, place.left, top, pen)
            top += step
        return top

    def _text(self, line: str, left: float, top: float, pen: Pen) -> Text:
        weight = "bold" if pen.is_bold else "normal"
        at = left / self.width, 1.0 - top / self.height
        return self.figure.text(
            *at, line, size=pen.size, color=pen.colour, weight=weight, va="top", ha="left"
        )

    def _lines(self, text: str, width: float, pen: Pen) -> list[str]:
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.length(longer, pen) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def length(self, text: str, pen: Pen) -> float:
        """Return the width of `text` in inches."""
        from matplotlib.font_manager import FontProperties

        renderer: Any = self.figure.canvas
        font = FontProperties(family="DejaVu Sans", size=pen.size, weight="bold" if pen.is_bold else "normal")
        found: float = renderer.get_renderer().get_text_width_height_descent(text, font, ismath=False)[0]
        return found / self.figure.dpi

    def head(self, title: str, below: str, *, width: float | None = None) -> float:
        """Write the finding and what explains it; return where they end."""
        room = self.width - 2.0 * MARGIN
        top = self.write(title, Place(MARGIN, 0.28, room if width is None else width), TITLE)
        return self.write(below, Place(MARGIN, top + 0.02, room), SMALL)

    def key(self, marks: Sequence[Artist], place: Place) -> float:
        """Explain marks in a row, or in as few rows as fit; return where they end."""
        top, rest = place.top, list(marks)
        while rest:
            row = self._row(rest, Place(place.left, top, place.width))
            box = row.get_window_extent()
            top += float(box.height) / self.figure.dpi + 0.04
            rest = rest[len(row.get_texts()) :]
        return top

    def _row(self, marks: list[Artist], place: Place) -> Legend:
        """Explain as many of the first marks as fit into one row, at least one."""
        row = self._legend(marks, place)
        while len(marks) > 1 and row.get_window_extent().width / self.figure.dpi > place.width:
            row.remove()
            marks = marks[:-1]
            row = self._legend(marks, place)
        return row

    def _legend(self, marks: list[Artist], place: Place) -> Legend:
        return self.figure.legend(
            handles=marks,
            loc="upper left",
            bbox_to_anchor=(place.left / self.width, 1.0 - place.top / self.height),
            ncols=len(marks),
            borderaxespad=0.0,
            borderpad=0.0,
            handlelength=1.7,
            columnspacing=1.4,
        )

    def panel(self, place: Place, *, bottom: float, **settings: Any) -> Axes:
        """Return axes from `place` down to `bottom`, inches from the top."""
        axes = self.figure.add_axes(self._rectangle(place, bottom), **settings)
        axes.yaxis.set_label_coords(-_LABEL / place.width, 0.5)
        return axes

    def fit(self, axes: Axes, *, top: float) -> None:
        """Let a panel begin at `top` inches, its other edges unmoved."""
        box = axes.get_position()
        place = Place(box.x0 * self.width, top, box.width * self.width)
        axes.set_position(self._rectangle(place, (1.0 - box.y0) * self.height))

    def _rectangle(self, place: Place, bottom: float) -> tuple[float, float, float, float]:
        return (
            place.left / self.width,
            1.0 - bottom / self.height,
            place.width / self.width,
            (bottom - place.top) / self.height,
        )


def new_sheet(width: float, height: float) -> Sheet:
    """Return an empty sheet of this size in inches; to be used inside `drawing`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return Sheet(figure, width, height)


def line_mark(words: str, colour: str, *, style: LineStyle = "-", width: float = 1.6) -> Artist:
    """Return a key for a line."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linestyle=style, linewidth=width, label=words)


def area_mark(words: str, colour: str, *, hatch: str = "") -> Artist:
    """Return a key for an area; a hatched one is white between its lines."""
    from matplotlib.patches import Patch

    if hatch:
        return Patch(facecolor="white", edgecolor=colour, hatch=hatch, linewidth=0.0, label=words)
    return Patch(facecolor=colour, linewidth=0.0, label=words)


def dot_mark(words: str, colour: str, *, shape: str = "o", size: float = 6.0) -> Artist:
    """Return a key for single marks."""
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], color=colour, marker=shape, markersize=size, markeredgewidth=2.0 if shape == "|" else 0.0,
        linestyle="", label=words,
    )  # fmt: skip
