"""A recommendation as one picture: the answer, price and what lies ahead, odds of falls, risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cli.reports.chart import chart_of
from cli.reports.price_panel import distance, draw_price, told
from cli.reports.sheet import LEFT, MARGIN, PART, SMALL, Place, Sheet, area_mark, dot_mark, new_sheet
from cli.reports.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, QUIET, RED, SKY, in_hundredths, share
from when_to_invest.decision.recommendation import Action, DropOdds, Recommendation

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from when_to_invest.market import Snapshot

COLOURS: Final = {
    Action.INVEST_NOW: GREEN,
    Action.STAGE: BLUE,
    Action.WAIT: GREY,
    Action.HOLD: GREY,
    Action.REDUCE: RED,
}
SHOWN_DAYS: Final = 540
_WIDTH, _HEIGHT = 12.0, 9.8
_USUAL_ROWS: Final = 9
_ROW: Final = 0.32
"""Inches that each further row of odds makes the picture higher."""
_CALM, _SEVERE = 40.0, 70.0
_KEY_FALL: Final = 0.05
_HALF: Final = 6.35
"""Where the panel on the right begins."""
_BARS: Final = 3.75
"""Inches that bars may take; figures stand beside them."""
_SAME: Final = 0.05
"""Odds within this share of the usual ones are about the same."""
_SUREST: Final = 0.999
_CLEAR: Final = 2.0
"""An expectation this many standard errors from nothing is told from it."""


def recommendation_picture(answer: Recommendation, snapshot: Snapshot) -> Figure:
    """Return the picture; everything on it stands in the recommendation or its snapshot."""
    more = max(0, len(answer.p_drop) - _USUAL_ROWS)
    sheet = new_sheet(_WIDTH, _HEIGHT + _ROW * more)
    top = sheet.head(headline(answer), _outlook(answer))
    _strip(sheet, answer, bottom=top)
    chart = chart_of(snapshot)
    import numpy as np

    shown = chart.since(chart.date[-1] - np.timedelta64(SHOWN_DAYS, "D"))
    room = _WIDTH - 2.0 * MARGIN
    below = sheet.write(distance(shown), Place(MARGIN, top + 0.16, room), PART)
    draw_price(sheet, answer, shown, top=below + 0.06, bottom=5.35)
    _draw_bars(sheet, answer, top=5.85)
    under = sheet.write(track_record(answer), Place(MARGIN, sheet.height - 0.46, room), SMALL)
    sheet.write(_foot(answer), Place(MARGIN, under, room), SMALL)
    return sheet.figure


def headline(answer: Recommendation) -> str:
    """Return the answer with its size."""
    size = share(answer.size_fraction)
    words = {
        Action.INVEST_NOW: f"invest now, {size} of the budget",
        Action.STAGE: f"in steps, {size} of the budget in all",
        Action.WAIT: "not yet, wait",
        Action.HOLD: f"hold the {share(answer.held_fraction)} that is invested",
        Action.REDUCE: f"reduce to at most {size} of the budget",
    }[answer.action]
    return f"{answer.instrument}, {answer.as_of.day} {answer.as_of:%B %Y}: {words}"


def _strip(sheet: Sheet, answer: Recommendation, *, bottom: float) -> None:
    """Put a strip in the colour of the action beside the words that say it."""
    from matplotlib.patches import Rectangle

    high = bottom - 0.28
    corner = 0.1 / sheet.width, 1.0 - bottom / sheet.height
    sheet.figure.add_artist(
        Rectangle(corner, 0.09 / sheet.width, high / sheet.height, color=COLOURS[answer.action])
    )


def _outlook(answer: Recommendation) -> str:
    up = answer.p_up
    skill = "" if up.has_skill else " (no proven skill)"
    parts = [
        f"Higher in {answer.horizon_days} days: {share(up.value)}, usually {share(up.baseline)}{skill}.",
        f"Volatility {share(answer.sigma_annual)} a year.",
    ]
    if answer.regime is not None:
        usual = (
            f"{share(min(answer.regime.probability, _SUREST))} sure; usually {share(answer.regime.baseline)}"
        )
        parts.append(f"A {answer.regime.name} market since {told(answer.regime.since.date())}.")
        parts[-1] = parts[-1] if answer.regime.name == "calm" else parts[-1].replace(".", f" ({usual}).")
    return " ".join([*parts, *_waiting(answer)])


def _waiting(answer: Recommendation) -> list[str]:
    if not answer.waiting:
        return []
    wait = min(answer.waiting, key=lambda each: abs(each.wait_days - answer.horizon_days))
    is_clear = abs(wait.cost_bps) > _CLEAR * wait.error_bps
    doubt = "" if is_clear else ", not to be told from nothing"
    cost = f"expected cost {round(wait.cost_bps)} ± {wait.error_bps:.0f} bp{doubt}"
    lower = f"After {wait.wait_days} days of waiting the price is lower in {share(wait.lower_odds)} of cases"
    return [f"{lower}; {cost}."]


def _draw_bars(sheet: Sheet, answer: Recommendation, *, top: float) -> None:
    """Draw odds on the left and risk on the right, their panels level."""
    left, right = Place(MARGIN, top, _HALF - 0.75), Place(_HALF, top, _WIDTH - _HALF - MARGIN)
    rows = sorted(answer.p_drop, key=lambda each: (each.horizon_days, each.threshold_ratio))
    under = max(_head_odds(sheet, answer, rows, left), _head_risk(sheet, answer, right)) + 0.3
    bottom = sheet.height - 0.9
    _draw_odds(sheet.panel(Place(LEFT, under, _BARS), bottom=bottom), rows)
    _draw_risk(sheet.panel(Place(_HALF + 0.8, under, _BARS - 0.35), bottom=bottom), answer)


def _head_odds(sheet: Sheet, answer: Recommendation, rows: list[DropOdds], place: Place) -> float:
    under = sheet.write(_odds_words(answer, rows), place, PART)
    for line in passages(answer):
        under = sheet.write(line, Place(place.left, under, place.width), SMALL)
    return sheet.key(_odds_marks(rows), Place(place.left, under + 0.08, place.width))


def _odds_words(answer: Recommendation, rows: list[DropOdds]) -> str:
    same = [each for each in rows if each.threshold_ratio == _KEY_FALL] or rows
    if not same:
        return "Odds of a fall are unknown"
    row = min(same, key=lambda each: abs(each.horizon_days - answer.horizon_days))
    skill = "" if row.has_skill else " (no proven skill)"
    odds = f"{share(row.value)}, usually {share(row.baseline)}{skill}"
    return f"A fall of {row.threshold_ratio:.0%} within {row.horizon_days} days: {odds}"


def passages(answer: Recommendation) -> list[str]:
    """Return by which day falls first come, in as many of all futures; nothing where none do."""
    lines = []
    for fall in answer.first_passage[:1]:
        known = [each for each in fall.by_share if each.after_days is not None]
        days = ", ".join(f"by day {each.after_days} in {share(each.share_ratio)}" for each in known)
        if known:
            lines.append(f"First close {fall.threshold_ratio:.0%} lower: {days} of futures.")
    return lines


def _colour(row: DropOdds) -> str:
    if not row.has_skill:
        return GREY
    if abs(row.value - row.baseline) <= _SAME * row.baseline:
        return SKY
    return RED if row.value > row.baseline else BLUE


def _odds_marks(rows: list[DropOdds]) -> list[Artist]:
    words = {
        RED: "more likely than usual",
        SKY: "about as usual",
        BLUE: "less likely",
        GREY: "no proven skill",
    }
    used = {_colour(row) for row in rows}
    return [
        *(area_mark(said, colour) for colour, said in words.items() if colour in used),
        dot_mark("usual", INK, shape="|", size=10.0),
    ]


def _draw_odds(axes: Axes, rows: list[DropOdds]) -> None:
    """Draw the odds as bars with a tick where they usually lie, and both figures beside them."""
    groups = sorted({each.horizon_days for each in rows})
    places = [number + 0.45 * groups.index(each.horizon_days) for number, each in enumerate(rows)]
    axes.barh(places, [each.value for each in rows], color=[_colour(each) for each in rows], height=0.7)
    usual = [each.baseline for each in rows]
    axes.vlines(usual, [at - 0.45 for at in places], [at + 0.45 for at in places], color=INK, linewidth=2.2)
    axes.set_yticks(places, [f"{each.threshold_ratio:.0%} in {each.horizon_days} d" for each in rows])
    most = max([0.02, *(max(each.value, each.baseline) for each in rows)])
    axes.set_xlim(0.0, min(1.0, 1.04 * most) if most < 1.0 else 1.0)
    in_hundredths(axes, axis="x")
    columns = {"odds": [share(each.value) for each in rows], "usual": [share(each.baseline) for each in rows]}
    _figures(axes, places, columns)


def _figures(axes: Axes, places: list[float], columns: dict[str, list[str]]) -> None:
    """Write columns of figures right of the bars, where nothing is drawn."""
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0.0)
    for number, (name, cells) in enumerate(columns.items()):
        offset = 40 + 44 * number
        colour = INK if not number else QUIET
        axes.annotate(
            name, (1.0, 1.0), xycoords="axes fraction", xytext=(offset, 4), textcoords="offset points",
            ha="right", va="bottom", fontsize=9, color=QUIET,
        )  # fmt: skip
        for at, cell in zip(places, cells, strict=True):
            axes.annotate(
                cell, (1.0, at), xycoords=("axes fraction", "data"), xytext=(offset, 0),
                textcoords="offset points", ha="right", va="center", fontsize=9.5, color=colour,
                fontweight="normal" if number else "bold",
            )  # fmt: skip


def _head_risk(sheet: Sheet, answer: Recommendation, place: Place) -> float:
    on = [f"{each.id.replace('_', ' ')}{_since(each.since)}" for each in answer.breakers if each.is_on]
    under = sheet.write(f"Risk {answer.risk.score:.0f} of 100", place, PART)
    words = f"breakers on: {', '.join(on)}" if on else "no market breaker is on"
    under = sheet.write(words, Place(place.left, under, place.width), SMALL)
    marks = [
        area_mark(f"below {_CALM:.0f}", GREEN),
        area_mark(f"{_CALM:.0f} to {_SEVERE:.0f}", ORANGE),
        area_mark(f"above {_SEVERE:.0f}", RED),
    ]
    return sheet.key(marks, Place(place.left, under + 0.08, place.width))


def _since(instant: object) -> str:
    from datetime import datetime

    return f" since {told(instant.date())}" if isinstance(instant, datetime) else ""


def _draw_risk(axes: Axes, answer: Recommendation) -> None:
    """Draw the parts of the risk score, with their weights."""
    parts = answer.risk.parts
    places = [float(number) for number in range(len(parts))]
    colours = [GREEN if part.score < _CALM else ORANGE if part.score < _SEVERE else RED for part in parts]
    axes.barh(places, [100.0] * len(parts), color=PALE, height=0.62)
    axes.barh(places, [part.score for part in parts], color=colours, height=0.62)
    axes.set_yticks(places, [part.name.replace("_", " ") for part in parts])
    axes.set_xlim(0.0, 100.0)
    columns = {
        "score": [f"{part.score:.0f}" for part in parts],
        "weight": [share(part.weight) for part in parts],
    }
    _figures(axes, places, columns)


def track_record(answer: Recommendation) -> str:
    """Return how such odds and ranges have done on this instrument; nothing where nobody knows."""
    card = answer.calibration
    if card is None or card.ece is None:
        return "How such odds have done on this instrument is not known yet."
    fall = f"a fall of {card.threshold_ratio:.0%} within {card.horizon_days} days"
    held = (
        f" The newest {card.range_forecasts:,} ranges of {card.range_level:.0%} held "
        f"{share(card.range_coverage)} of the time."
        if card.range_coverage is not None
        else ""
    )
    off = f"{100.0 * card.ece:.1f} points on average, over {card.years:.0f} years"
    return f"Past odds of {fall} were off by {off}.{held}"


def _foot(answer: Recommendation) -> str:
    return (
        f"Data to {told(answer.data_as_of.date())}; ask again by {told(answer.expires_at.date())}. "
        f"Odds are past frequencies, no promise. {answer.id}"
    )
