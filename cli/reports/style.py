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
DOTS_PER_INCH: Final = 144
_SETTINGS: Final[Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlepad": 12,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "svg.hashsalt": "when-to-invest",
    "text.color": INK,
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


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches; to be used inside `drawing`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    room = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure(figsize=(width, height), layout=room)
    FigureCanvasAgg(figure)
    return figure


def as_png(figure: Figure) -> bytes:
    """Return the figure as PNG; the same figure gives the same bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return out.getvalue()


def subtitle(axes: Axes, text: str) -> None:
    """Put a quiet line of explanation under the axes' title."""
    axes.set_title(axes.get_title(loc="left"), loc="left", pad=26)
    axes.annotate(
        text,
        xy=(0.0, 1.0),
        xytext=(0, 8),
        xycoords="axes fraction",
        textcoords="offset points",
        color=GREY,
        fontsize=9.5,
        va="bottom",
    )


def in_hundredths(axes: Axes, *, axis: str = "y") -> None:
    """Label a ratio's axis in hundredths, as people read them."""
    from matplotlib.ticker import PercentFormatter

    (axes.yaxis if axis == "y" else axes.xaxis).set_major_formatter(PercentFormatter(xmax=1.0, decimals=0))


def legend_above(axes: Axes) -> None:
    """Put the legend beside the title, where it hides nothing."""
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderaxespad=0.2)
