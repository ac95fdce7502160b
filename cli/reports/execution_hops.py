"""How long each hop of a decision took, and what venues filled and rejected."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from cli.reports.execution_pictures import WIDTH
from cli.reports.sheet import LEFT, MARGIN, PART, UNDER, Place, Sheet, dot_mark, line_mark, new_sheet
from cli.reports.style import BLUE, GREY, INK, RED, in_hundredths
from executor.quality.figures import Missing, known
from executor.quality.passages import Stage

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from executor.quality.analysis import Analysis
    from executor.quality.summaries import Rate

_LEAST_S: Final = 0.0005
"""What took less is drawn here: a scale by factors has no zero."""
_TIMES: Final = (
    (1e-3, "1 ms"),
    (1e-2, "10 ms"),
    (0.1, "0.1 s"),
    (1.0, "1 s"),
    (10.0, "10 s"),
    (60.0, "1 min"),
    (600.0, "10 min"),
    (3600.0, "1 h"),
    (36_000.0, "10 h"),
    (864_000.0, "10 d"),
)
_EVEN, _GOLDEN = 0.5, 0.618


def hops_picture(found: Analysis) -> Figure:
    """Return every hop of every decision, with the middle of each."""
    sheet = new_sheet(WIDTH, 5.2)
    top = sheet.head(_slowest(found), "Each mark is one decision; the scale is by factors of ten.")
    marks = [
        dot_mark("one decision", BLUE, size=5.0),
        dot_mark("half took less", INK, shape="|", size=13.0),
        dot_mark("under half a millisecond, or none", GREY, shape="<", size=5.0),
    ]
    top = sheet.key(marks, Place(MARGIN, top + 0.1, sheet.width - 2.0 * MARGIN)) + 0.15
    left = LEFT + 0.75
    axes = sheet.panel(Place(left, top, sheet.width - left - MARGIN), bottom=sheet.height - UNDER - 0.1)
    for place, stage in enumerate(list(Stage)[1:]):
        _draw_hop(axes, found, stage, place)
    _scale(axes, found)
    return sheet.figure


def _slowest(found: Analysis) -> str:
    """Return which hop takes longest, in words."""
    middles = {
        stage: spread.p50_s for stage, spread in found.hops.items() if isinstance(spread.p50_s, Decimal)
    }
    if not middles:
        return "How long the hops took is not known"
    stage = max(middles, key=lambda each: middles[each])
    took = _in_words(float(middles[stage]))
    return f"The longest hop, until {_name(stage)}, took at most {took} in half of the decisions"


def _name(stage: Stage) -> str:
    return stage.value.replace("_", " ")


def _in_words(seconds: float) -> str:
    for size, unit in ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.2f} s" if seconds >= 1.0 else f"{1000.0 * seconds:.3g} ms"


def _draw_hop(axes: Axes, found: Analysis, stage: Stage, place: int) -> None:
    took = [float(value) for value in known(each.hops_s[stage] for each in found.decisions)]
    heights = [place + 0.5 * ((number * _GOLDEN) % 1.0 - _EVEN) for number in range(len(took))]
    seen = [(s, h) for s, h in zip(took, heights, strict=True) if s > _LEAST_S]
    none = [h for s, h in zip(took, heights, strict=True) if s <= _LEAST_S]
    axes.scatter(
        [s for s, _ in seen], [h for _, h in seen], s=16, color=BLUE, alpha=0.6, linewidth=0, zorder=3
    )
    axes.scatter([_LEAST_S] * len(none), none, s=16, color=GREY, marker="<", linewidth=0, zorder=3)
    middle = found.hops[stage].p50_s
    if isinstance(middle, Decimal):
        axes.scatter(
            [max(float(middle), _LEAST_S)], [place], s=260, color=INK, marker="|", linewidth=2.0, zorder=4
        )


def _scale(axes: Axes, found: Analysis) -> None:
    longest = max((float(v) for each in found.decisions for v in known(each.hops_s.values())), default=1.0)
    axes.set_xscale("log")
    axes.set_xlim(_LEAST_S / 1.6, max(longest, 1.0) * 2.5)
    shown = [(at, words) for at, words in _TIMES if at <= max(longest, 1.0) * 2.5]
    axes.set_xticks([at for at, _ in shown], [words for _, words in shown])
    axes.minorticks_off()
    stages = list(Stage)[1:]
    names = [f"{_name(stage)} (n={found.hops[stage].count})" for stage in stages]
    axes.set_yticks(range(len(stages)), names)
    axes.set_ylim(len(stages) - 0.4, -0.6)


def rates_picture(found: Analysis) -> Figure:
    """Return what share of orders each venue filled in full, and rejected, and how sure that is."""
    rows = len(found.venues) + 1
    sheet = new_sheet(WIDTH, 2.6 + 0.42 * rows)
    filled, rejected = found.total.filled, found.total.rejected
    top = sheet.head(
        f"{filled.hits} of {filled.count} orders filled in full; "
        f"{rejected.hits} of {rejected.count} were rejected",
        "Of the orders whose outcome is known, the share; lines are its 95% range (Wilson 1927).",
    )
    marks = [dot_mark("share", INK, size=7.0), line_mark("95% range", INK, width=2.0)]
    top = sheet.key(marks, Place(MARGIN, top + 0.1, sheet.width - 2.0 * MARGIN)) + 0.2
    half = (sheet.width - LEFT - MARGIN - 0.9) / 2.0
    names = [each.name for each in (found.total, *found.venues)]
    _rates(sheet, [each.filled for each in (found.total, *found.venues)], names, place=Place(LEFT, top, half))
    other = Place(LEFT + half + 0.9, top, half)
    _rates(sheet, [each.rejected for each in (found.total, *found.venues)], names, place=other, is_bad=True)
    return sheet.figure


def _rates(sheet: Sheet, rates: list[Rate], names: list[str], *, place: Place, is_bad: bool = False) -> None:
    top = sheet.write("Rejected" if is_bad else "Filled in full", place, PART) + 0.06
    axes = sheet.panel(Place(place.left, top, place.width), bottom=sheet.height - UNDER)
    colour = RED if is_bad else BLUE
    for row, rate in enumerate(rates):
        if isinstance(rate.ratio, Missing) or isinstance(rate.interval, Missing):
            continue
        axes.hlines(row, float(rate.interval.low), float(rate.interval.high), color=colour, linewidth=2.0)
        axes.scatter([float(rate.ratio)], [row], s=46, color=colour, zorder=3)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(-0.02, 1.02), ylim=(len(names) - 0.4, -0.6))
    in_hundredths(axes, axis="x")
