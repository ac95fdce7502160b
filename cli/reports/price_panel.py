"""The price up to now with its trend band, and what lies ahead: ranges, steps and levels.

Past and future share the price axis, not the time axis: weeks ahead need room beside years.
Nothing ahead is drawn as a path of the price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cli.reports.chart import Chart, gap_rows, place_of, shade, shade_gaps
from cli.reports.position_pictures import draw_band
from cli.reports.sheet import LEFT, MARGIN, Pen, Place, Sheet, area_mark, line_mark
from cli.reports.style import GREEN, GREY, INK, LOG_SPAN, ORANGE, RED, by_dates, in_amounts, in_factors, share
from when_to_invest.signals.trend import BAND_RATIO

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from cli.reports.sheet import LineStyle
    from when_to_invest.decision.recommendation import Predicate, Recommendation

RANGES: Final = ("#7FBDE6", "#AFD7F1", "#D8ECF9")
"""Colours of ranges, the narrowest first."""
TURBULENT: Final = "#EFE9F4"
_PAST: Final = 0.68
"""Share of the width that the past takes."""
_LANE: Final = 0.24
"""Inches above the panels for the steps' labels."""
_NEAREST: Final = 0.5
"""Inches that labels of dates keep from each other."""
_FARTHEST: Final = 1.6
"""Levels beyond this factor of what is shown are told, not drawn."""
_LEAST_SHARE: Final = 0.02
_STEP: Final = Pen(9.0, is_bold=True)


@dataclass(frozen=True, slots=True)
class Level:
    """A close beyond which the answer changes, and how."""

    value: float
    is_above: bool
    words: str


def draw_price(sheet: Sheet, answer: Recommendation, chart: Chart, *, top: float, bottom: float) -> None:
    """Draw keys and both panels between `top` and `bottom` inches."""
    room = sheet.width - LEFT - MARGIN
    marks = [line_mark("close", INK), *_marks(answer, chart)]
    under = sheet.key(marks, Place(MARGIN, top, sheet.width - 2.0 * MARGIN)) + (
        _LANE if answer.schedule else 0.12
    )
    past = sheet.panel(Place(LEFT, under, _PAST * room), bottom=bottom)
    ahead = sheet.panel(Place(LEFT + _PAST * room, under, (1.0 - _PAST) * room), bottom=bottom, sharey=past)
    draw_band(past, chart)
    shade_gaps(chart.date, past)
    _shade_regime(past, answer, chart)
    _draw_ranges(ahead, answer, chart)
    _draw_levels((past, ahead), answer, chart)
    low, high = _span(answer, chart)
    if high > LOG_SPAN * low:
        in_factors(past)
    else:
        in_amounts(past)
    past.set(xlim=(place_of(chart.date[0]), place_of(chart.date[-1])), ylabel="close")
    by_dates(past)
    _dress_ahead(sheet, ahead, answer, chart)


def levels_of(answer: Recommendation) -> list[Level]:
    """Return the closes at which something changes, each with all that it changes."""
    found: dict[tuple[float, bool], list[str]] = {}

    def note(predicate: Predicate, words: str) -> None:
        if predicate.metric == "chart.close":
            said = found.setdefault((predicate.value, predicate.operator[0] == ">"), [])
            if words not in said:
                said.append(words)

    for predicate in answer.invalidation:
        note(predicate, predicate.text)
    for step in answer.schedule:
        if step.trigger is not None:
            note(step.trigger, "later steps come early")
    return [Level(value, is_above, ", ".join(words)) for (value, is_above), words in found.items()]


def _is_near(level: Level, chart: Chart) -> bool:
    return bool(chart.close.min() / _FARTHEST < level.value < chart.close.max() * _FARTHEST)


def _level_look(level: Level) -> tuple[str, LineStyle]:
    return (GREEN, "--") if level.is_above else (RED, "-.")


def _marks(answer: Recommendation, chart: Chart) -> list[Artist]:
    """Return the keys of all that is drawn but the close."""
    marks = [line_mark(f"{chart.average_name} ±{BAND_RATIO:.0%}", ORANGE, width=2.4)]
    bands = sorted(answer.return_interval, key=lambda each: each.level)
    for number, (band, colour) in enumerate(zip(bands, RANGES, strict=False)):
        words = f" range in {answer.horizon_days} days" if number == len(bands) - 1 else ""
        marks.append(area_mark(f"{band.level:.0%}{words}", colour))
    for level in levels_of(answer):
        colour, style = _level_look(level)
        side, off = (
            "above" if level.is_above else "below",
            "" if _is_near(level, chart) else " (off the picture)",
        )
        words = f"{side} {level.value:,.5g}: {level.words}{off}"
        marks.append(line_mark(words, colour, style=style, width=1.3))
    if answer.schedule:
        marks.append(line_mark("steps, share of the budget", INK, style=":", width=1.1))
    if answer.regime is not None and answer.regime.name == "turbulent":
        marks.append(area_mark(f"turbulent since {told(answer.regime.since.date())}", TURBULENT))
    if len(gap_rows(chart.date)):
        marks.append(area_mark("no data", GREY, hatch="////"))
    return marks


def told(day: date) -> str:
    """Return a day as `4 Sep 2008`."""
    return f"{day.day} {day:%b %Y}"


def _shade_regime(axes: Axes, answer: Recommendation, chart: Chart) -> None:
    import numpy as np

    if answer.regime is None or answer.regime.name != "turbulent":
        return
    since = max(np.datetime64(answer.regime.since.date()), chart.date[0])
    shade(axes, since, chart.date[-1], facecolor=TURBULENT, linewidth=0.0, zorder=0.1)


def horizon_end(answer: Recommendation, chart: Chart) -> np.datetime64:
    """Return about when the horizon is over: trading days counted as the newest ones lie apart."""
    import numpy as np

    steps = np.diff(chart.date[-64:]).astype(np.int64)
    apart = float(steps[steps <= np.median(steps) + 6].mean()) if len(steps) else 1.0
    end: np.datetime64 = chart.date[-1] + np.timedelta64(max(1, round(answer.horizon_days * apart)), "D")
    return end


def _draw_ranges(axes: Axes, answer: Recommendation, chart: Chart) -> None:
    """Draw the ranges of the return from the newest close to the horizon, widest first."""
    import numpy as np

    last, close = chart.date[-1].astype("datetime64[h]"), float(chart.close[-1])
    passed = np.linspace(0.0, 1.0, 25)
    hours = int((horizon_end(answer, chart) - last) / np.timedelta64(1, "h"))
    dates = last + np.round(passed * hours).astype("timedelta64[h]")
    bands = sorted(answer.return_interval, key=lambda each: each.level)
    for band, colour in reversed(list(zip(bands, RANGES, strict=False))):
        low, high = (
            np.maximum(close * (1.0 + edge * np.sqrt(passed)), _LEAST_SHARE * close)
            for edge in (band.low, band.high)
        )
        axes.fill_between(dates, low, high, color=colour, linewidth=0)
    axes.plot(dates[:1], [close], marker="o", markersize=6, color=INK, clip_on=False, zorder=5)


def _span(answer: Recommendation, chart: Chart) -> tuple[float, float]:
    """Return the lowest and the highest price that is drawn."""
    close = float(chart.close[-1])
    lows = [max(_LEAST_SHARE, 1.0 + band.low) * close for band in answer.return_interval]
    highs = [(1.0 + band.high) * close for band in answer.return_interval]
    return min([float(chart.close.min()), *lows]), max([float(chart.close.max()), *highs])


def _draw_levels(panels: tuple[Axes, Axes], answer: Recommendation, chart: Chart) -> None:
    for level in levels_of(answer):
        if _is_near(level, chart):
            colour, style = _level_look(level)
            for axes in panels:
                axes.axhline(level.value, color=colour, linestyle=style, linewidth=1.3, zorder=2.5)


def _dress_ahead(sheet: Sheet, axes: Axes, answer: Recommendation, chart: Chart) -> None:
    """Set dates, a line for today, and the steps with their shares."""
    import numpy as np

    now, opened = chart.date[-1], answer.as_of
    steps = [
        (np.datetime64(step.due_at.date()) if step.due_at > opened else now, step.fraction)
        for step in answer.schedule
        if step.due_at is not None
    ]
    end = horizon_end(answer, chart)
    last = max([end, *(due for due, _ in steps)])
    span = place_of(last) - place_of(now)
    axes.set_xlim(place_of(now), place_of(last) + max(1, round(0.12 * span)))
    axes.spines["left"].set(color=INK, linewidth=1.0)
    axes.tick_params(axis="y", which="both", left=False, labelleft=False)
    _date_ticks(sheet, axes, sorted({end, *(due for due, _ in steps)}), now=now)
    _label_steps(sheet, axes, steps)


def _inches(sheet: Sheet, axes: Axes, when: np.datetime64) -> float:
    """Return how far right of the panel's left edge a date lies, in inches."""
    low, high = axes.get_xlim()
    return (place_of(when) - low) / (high - low) * axes.get_position().width * sheet.width


def _date_ticks(sheet: Sheet, axes: Axes, dates: list[np.datetime64], *, now: np.datetime64) -> None:
    """Label as many of the dates as there is room for."""
    ticks: list[float] = []
    labels: list[str] = []
    free, year = _NEAREST, now.astype("datetime64[Y]")
    for when in dates:
        at = _inches(sheet, axes, when)
        if at >= free:
            day: date = when.astype("datetime64[D]").item()
            ticks.append(place_of(when))
            labels.append(told(day) if when.astype("datetime64[Y]") != year else f"{day.day} {day:%b}")
            free = at + 1.8 * _NEAREST
    axes.set_xticks(ticks, labels)


def _label_steps(sheet: Sheet, axes: Axes, steps: list[tuple[np.datetime64, float]]) -> None:
    """Mark each step's date by a dotted line, its share of the budget above the panel where room is."""
    for due, _ in steps:
        if _inches(sheet, axes, due) > 0.0:
            axes.axvline(place_of(due), color=INK, linewidth=1.1, linestyle=":")
    long = [f"step {number}: {share(part)}" for number, (_, part) in enumerate(steps, start=1)]
    short = [share(part) for _, part in steps]
    at = [_inches(sheet, axes, due) for due, _ in steps]
    placed = _side_by_side(sheet, long, at, axes)
    if len(placed) < len(steps):
        placed = _side_by_side(sheet, short, at, axes)
    left, top = axes.get_position().x0 * sheet.width, (1.0 - axes.get_position().y1) * sheet.height
    for words, start in placed:
        sheet.write(words, Place(left + start, top - 0.2, sheet.width), _STEP)


def _side_by_side(
    sheet: Sheet, labels: list[str], centres: list[float], axes: Axes
) -> list[tuple[str, float]]:
    """Return the labels that fit over the panel, and how far from its left edge each begins."""
    free, width = 0.0, axes.get_position().width * sheet.width
    placed = []
    for words, centre in zip(labels, centres, strict=True):
        long = sheet.length(words, _STEP)
        start = min(max(0.0, centre - long / 2.0), width - long)
        if start >= free:
            placed.append((words, start))
            free = start + long + 0.1
    return placed


def distance(chart: Chart) -> str:
    """Return where the newest close lies against its average, in words."""
    average = float(chart.average[-1])
    if average != average:  # noqa: PLR0124 - NaN alone is unequal to itself
        return f"The close; the history is shorter than its {chart.average_name}"
    ratio = float(chart.close[-1]) / average - 1.0
    side = "above" if ratio >= 0.0 else "below"
    return f"The close is {share(abs(ratio))} {side} its {chart.average_name}"
