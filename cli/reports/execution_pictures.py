"""What execution cost: decision by decision, and part by part of the shortfall."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from cli.reports.sheet import LEFT, MARGIN, UNDER, Place, area_mark, dot_mark, line_mark, new_sheet
from cli.reports.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, RED, SKY
from executor.quality.figures import Missing

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from executor.quality.analysis import Analysis, Parts
    from executor.quality.measures import OrderMeasures
    from executor.quality.summaries import Mean

WIDTH: Final = 11.0
COLOURS: Final = (BLUE, ORANGE, GREEN, RED, SKY)
MARKS: Final = ("o", "s", "^", "D", "v")
_SMALLEST, _LARGEST = 20.0, 260.0
_WHOLE_BPS: Final = 100


def cost_picture(found: Analysis) -> Figure:
    """Return each order's cost against arrival over time, with the mean and how sure it is."""
    sheet = new_sheet(WIDTH, 5.4)
    mean = found.total.arrival_slippage
    top = sheet.head(
        cost_finding(mean),
        "Each mark is one order, its area what was executed; above zero is a cost, on either side.",
    )
    known = [order for order in found.orders if isinstance(order.arrival_slippage_bps, Decimal)]
    venues = sorted({order.venue for order in known})
    marks: list[Artist] = [
        dot_mark(venue, _colour(place), shape=MARKS[place % len(MARKS)], size=7.0)
        for place, venue in enumerate(venues)
    ]
    marks.append(line_mark("mean, weighted by what was executed", INK, style="--", width=1.3))
    if not isinstance(mean.interval, Missing):
        marks.append(area_mark("95% range of the mean", PALE))
    top = sheet.key(marks, Place(MARGIN, top + 0.1, sheet.width - 2.0 * MARGIN)) + 0.15
    axes = sheet.panel(Place(LEFT, top, sheet.width - LEFT - MARGIN), bottom=sheet.height - UNDER)
    _draw_costs(axes, known, venues, mean)
    return sheet.figure


def cost_finding(mean: Mean) -> str:
    """Return the mean cost in words, with its interval or the count it rests on."""
    if isinstance(mean.value, Missing):
        return "What orders cost against arrival is not known"
    cost = _in_words(mean.value)
    if isinstance(mean.interval, Missing):
        return f"Orders {cost} against arrival; {mean.count} are too few to say how sure that is"
    low, high = mean.interval.low, mean.interval.high
    return f"Orders {cost} against arrival (95%: {_bps(low)} to {_bps(high)} bps)"


def _bps(value: Decimal) -> str:
    return f"{value:+.0f}" if abs(value) >= _WHOLE_BPS else f"{value:+.1f}"


def _in_words(value: Decimal) -> str:
    verb = "cost" if value >= 0 else "gained"
    return f"{verb} {_bps(abs(value)).lstrip('+')} bps"


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _draw_costs(axes: Axes, known: list[OrderMeasures], venues: list[str], mean: Mean) -> None:
    from cli.reports.style import by_dates

    if not isinstance(mean.interval, Missing):
        axes.axhspan(float(mean.interval.low), float(mean.interval.high), color=PALE, linewidth=0, zorder=0.5)
    axes.axhline(0.0, color=GREY, linewidth=1.0)
    if isinstance(mean.value, Decimal):
        axes.axhline(float(mean.value), color=INK, linewidth=1.3, linestyle="--")
    largest = max((float(order.notional_usd) for order in known), default=1.0) or 1.0
    for place, venue in enumerate(venues):
        own = [order for order in known if order.venue == venue]
        costs = [float(cost) for each in own if isinstance(cost := each.arrival_slippage_bps, Decimal)]
        worths = [float(order.notional_usd) / largest for order in own]
        axes.scatter(
            [order.sent_at for order in own],  # type: ignore[arg-type] # matplotlib converts instants itself
            costs,
            s=[_SMALLEST + (_LARGEST - _SMALLEST) * worth for worth in worths],
            color=_colour(place),
            marker=MARKS[place % len(MARKS)],
            edgecolor="white",
            linewidth=0.6,
            alpha=0.85,
            zorder=3,
        )
    axes.set_ylabel("bps against arrival")
    axes.margins(x=0.03, y=0.12)
    if known:
        by_dates(axes)


@dataclass(frozen=True, slots=True)
class _Step:
    """One bar of the cascade: from where to where, in USD."""

    name: str
    start: float
    size: float
    is_total: bool = False


def shortfall_picture(found: Analysis) -> Figure:
    """Return the parts of the implementation shortfall, each beginning where the one before ended."""
    parts = found.shortfall
    sheet = new_sheet(WIDTH, 4.6)
    top = sheet.head(
        _shortfall_finding(parts),
        f"Paper against reality, over the {parts.count} of {len(found.decisions)} decisions for which every "
        "part is known (Perold 1988). To the right is a cost.",
    )
    marks = [area_mark("cost", RED), area_mark("gain", GREEN), area_mark("all together", BLUE)]
    top = sheet.key(marks, Place(MARGIN, top + 0.1, sheet.width - 2.0 * MARGIN)) + 0.15
    left = LEFT + 0.6
    axes = sheet.panel(Place(left, top, sheet.width - left - MARGIN), bottom=sheet.height - UNDER - 0.2)
    _draw_steps(axes, _steps(parts), paper_usd=parts.paper_usd)
    return sheet.figure


def _shortfall_finding(parts: Parts) -> str:
    if not parts.paper_usd:
        return "The implementation shortfall is known of no decision"
    worth = parts.total_usd / parts.paper_usd * 10_000
    verb = "cost" if worth >= 0 else "gained"
    return f"Execution {verb} {abs(parts.total_usd):,.2f} USD, {abs(worth):.1f} bps of what was decided"


def _steps(parts: Parts) -> list[_Step]:
    """Return the cascade from the first part to their sum."""
    named = (
        ("delay", parts.delay_usd),
        ("execution", parts.execution_usd),
        ("missed", parts.opportunity_usd),
        ("fees", parts.fees_usd),
    )
    found, reached = [], 0.0
    for name, amount in named:
        found.append(_Step(name, reached, float(amount)))
        reached += float(amount)
    return [*found, _Step("shortfall", 0.0, reached, is_total=True)]


def _draw_steps(axes: Axes, steps: list[_Step], *, paper_usd: Decimal) -> None:
    ends = [step.start + step.size for step in steps]
    reach = max(*(abs(end) for end in ends), 1e-9)
    for place, step in enumerate(steps):
        colour = BLUE if step.is_total else RED if step.size >= 0.0 else GREEN
        axes.barh(place, step.size, left=step.start, color=colour, height=0.62, zorder=3)
        worth = f", {step.size / float(paper_usd) * 10_000:+.1f} bps" if paper_usd else ""
        at = max(step.start, step.start + step.size) + 0.02 * reach
        axes.text(at, place, f"{step.size:+,.2f} USD{worth}", va="center", ha="left", fontsize=9, color=INK)
    axes.set_yticks(range(len(steps)), [step.name for step in steps])
    axes.invert_yaxis()
    axes.axvline(0.0, color=GREY, linewidth=1.0, zorder=4)
    low, high = min(0.0, *ends), max(0.0, *ends)
    axes.set_xlim(low - 0.05 * reach, high + 0.42 * max(high - low, reach))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("USD")
