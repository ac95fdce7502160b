"""One look for every picture: quiet axes, large type, colours that everybody can tell apart.

Draws on a canvas in memory, never on a screen, and asks no network. Colours: Okabe and Ito
(2008), "Color universal design"; lines that must differ also differ in style or width.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
RED: Final = "#D55E00"
GREY: Final = "#8A8F98"
PALE: Final = "#E7EAEE"
INK: Final = "#22262B"
QUIET: Final = "#59616B"
"""Explanations: grey, and dark enough to be read."""
DOTS_PER_INCH: Final = 144
LOG_SPAN: Final = 3.0
"""What grew by more than this factor is drawn by factors."""
_WIDE: Final = 30.0
_WHOLE, _LEAST, _MOST = 0.0995, 0.0005, 0.995
_SETTINGS: Final[Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.7,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "svg.hashsalt": "when-to-invest",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "xtick.labelsize": 9,
    "ytick.color": INK,
    "ytick.labelsize": 9,
}


@contextmanager
def drawing(cache: Path) -> Iterator[None]:
    """Set the style for what is drawn inside; matplotlib keeps its font list below `cache`.

    Raises:
        Fault: `bad_argument` when matplotlib is not installed.
    """
    os.environ.setdefault("MPLCONFIGDIR", str(cache))
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "pictures need the package matplotlib, which is not installed",
            fix="install the `report` extra of when-to-invest",
        ) from error
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def as_png(figure: Figure) -> bytes:
    """Return the figure as PNG; the same figure gives the same bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return out.getvalue()


def in_hundredths(axes: Axes, *, axis: str = "y") -> None:
    """Label a ratio's axis in hundredths, as people read them."""
    from matplotlib.ticker import FuncFormatter

    labels = FuncFormatter(lambda value, _: f"{100.0 * value:,.4g}%")
    (axes.yaxis if axis == "y" else axes.xaxis).set_major_formatter(labels)


def in_factors(axes: Axes) -> None:
    """Scale prices or wealth by factors: equal steps are equal ratios."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=10.0, subs=_steps(axes.get_ylim())))
    in_amounts(axes)
    axes.yaxis.set_minor_formatter(NullFormatter())


def in_amounts(axes: Axes) -> None:
    """Label prices or wealth; millions in short, so that no number runs into the axis' name."""
    from matplotlib.ticker import FuncFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(value)))


def amount(value: float) -> str:
    """Return `1,400`, `0.075`, `35M`, `2.5bn`."""
    for size, unit in ((1e9, "bn"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:,.6g}{unit}"
    return f"{value:,.6g}"


def _steps(limits: tuple[float, float]) -> tuple[float, ...]:
    """Return which multiples of powers of ten are labelled: many where the axis spans little."""
    return (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if limits[1] < _WIDE * limits[0] else (1.0, 2.0, 5.0)


def by_dates(axes: Axes) -> None:
    """Label the axis with as few words as tell each date."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    )


def share(ratio: float) -> str:
    """Return a ratio in hundredths: `41%`, `5.1%`; never nothing for something, nor all for most."""
    size = abs(ratio)
    if _MOST <= size < 1.0:
        return ">99%" if ratio > 0.0 else "<-99%"
    if size == 0.0 or size >= _WHOLE:
        return f"{ratio:.0%}"
    return f"{ratio:.1%}" if size >= _LEAST else "<0.1%"
