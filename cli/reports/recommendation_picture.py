"""A recommendation as one picture: price with trend band and steps, odds of falls, risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cli.reports.chart import Chart, chart_of
from cli.reports.position_pictures import draw_band
from cli.reports.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    RED,
    SKY,
    in_hundredths,
    new_figure,
    subtitle,
)
from when_to_invest.decision.recommendation import Action, Recommendation

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from when_to_invest.market import Snapshot

WORDS: Final = {
    Action.INVEST_NOW: "invest now",
    Action.STAGE: "in steps",
    Action.WAIT: "not yet, wait",
    Action.HOLD: "hold",
    Action.REDUCE: "reduce",
}
COLOURS: Final = {
    Action.INVEST_NOW: GREEN,
    Action.STAGE: BLUE,
    Action.WAIT: GREY,
    Action.HOLD: GREY,
    Action.REDUCE: RED,
}
SHOWN_DAYS: Final = 540
_CALM, _SEVERE = 40.0, 70.0


def _shown_size(answer: Recommendation) -> float:
    return answer.held_fraction if answer.action is Action.HOLD else answer.size_fraction


def recommendation_picture(answer: Recommendation, snapshot: Snapshot) -> Figure:
    """Return the picture; everything on it stands in the recommendation or its snapshot."""
    figure = new_figure(12.0, 8.2)
    grid = figure.add_gridspec(2, 2, height_ratios=(3, 2))
    price, odds, risk = (figure.add_subplot(place) for place in (grid[0, :], grid[1, 0], grid[1, 1]))
    chart = chart_of(snapshot)
    _draw_price(price, answer, chart.since(chart.date[-1] - SHOWN_DAYS))
    _draw_odds(odds, answer)
    _draw_risk(risk, answer)
    return figure


def _draw_price(axes: Axes, answer: Recommendation, chart: Chart) -> None:
    draw_band(axes, chart)
    _draw_ranges(axes, answer, chart)
    _mark_steps(axes, answer, chart)
    axes.set_title(f"{answer.instrument} on {answer.as_of.day} {answer.as_of:%B %Y}")
    axes.annotate(
        f"{WORDS[answer.action]}: {_shown_size(answer):.0%} of the budget",
        (1.0, 1.0), xycoords="axes fraction", xytext=(-8, 14), textcoords="offset points", ha="right",
        color="white", fontsize=12, fontweight="bold",
        bbox={"boxstyle": "round,pad=0.45", "facecolor": COLOURS[answer.action], "edgecolor": "none"},
    )  # fmt: skip
    up = answer.p_up
    skill = "" if up.has_skill else " (no proven skill)"
    subtitle(
        axes,
        f"higher in {answer.horizon_days} days: {up.value:.0%}, "
        f"usually {up.baseline:.0%}{skill} · volatility {answer.sigma_annual:.0%} a year",
    )
    axes.legend(loc="upper left")
    axes.margins(x=0.02)


def _horizon_end(answer: Recommendation, chart: Chart) -> np.datetime64:
    """Return about when the horizon is over: trading days counted as the newest ones lie apart."""
    import numpy as np

    newest = chart.date[-64:]
    apart = float((newest[-1] - newest[0]) / np.timedelta64(1, "D")) / max(1, len(newest) - 1)
    end: np.datetime64 = chart.date[-1] + np.timedelta64(round(answer.horizon_days * apart), "D")
    return end


def _draw_ranges(axes: Axes, answer: Recommendation, chart: Chart) -> None:
    """Draw the ranges of the return as a fan from the newest close to the horizon."""
    import numpy as np

    last, close = chart.date[-1], float(chart.close[-1])
    days = np.linspace(0.0, 1.0, 25)
    dates = last + (days * ((_horizon_end(answer, chart) - last) / np.timedelta64(1, "h"))).astype(
        "timedelta64[h]"
    )
    for band, alpha in zip(
        sorted(answer.return_interval, key=lambda each: -each.level), (0.25, 0.35, 0.5), strict=False
    ):
        spread = np.sqrt(days)
        low, high = (close * (1.0 + edge * spread) for edge in (band.low, band.high))
        axes.fill_between(
            dates, low, high, color=SKY, alpha=alpha, linewidth=0, label=f"{band.level:.0%} range"
        )


def _mark_steps(axes: Axes, answer: Recommendation, chart: Chart) -> None:
    """Mark each step of the schedule by its date and fraction."""
    import numpy as np

    close = float(chart.close[-1])
    axes.plot([chart.date[-1]], [close], marker="o", markersize=6, color=INK)
    for number, step in enumerate(answer.schedule, start=1):
        if step.due_at is None:
            continue
        due = np.datetime64(step.due_at.date())
        axes.axvline(due, color=COLOURS[answer.action], linewidth=1.2, linestyle=":")  # type: ignore[arg-type]
        axes.plot([due], [close], marker="v", markersize=9, color=COLOURS[answer.action])
        axes.annotate(
            f"step {number}\n{step.fraction:.0%}",
            (due, 0.02),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            xytext=(4, 2),
            fontsize=9,
            color=INK,
        )
    for trigger in {step.trigger for step in answer.schedule if step.trigger is not None}:
        if trigger.metric == "chart.close":
            axes.axhline(
                trigger.value,
                color=GREEN,
                linewidth=1.0,
                linestyle="--",
                label="later steps come early above",
            )


def _draw_odds(axes: Axes, answer: Recommendation) -> None:
    """Draw the odds of falls as bars, with a tick where they usually lie."""
    rows = sorted(answer.p_drop, key=lambda each: (each.horizon_days, each.threshold_ratio))
    names = [f"{each.threshold_ratio:.0%} in {each.horizon_days} d" for each in rows]
    places = range(len(rows))
    colours = [GREY if not each.has_skill else RED if each.value > each.baseline else BLUE for each in rows]
    axes.barh(places, [each.value for each in rows], color=colours, height=0.62, alpha=0.9)
    axes.scatter(
        [each.baseline for each in rows], places, marker="|", s=260, linewidth=2.4, color=INK, zorder=3,
        label="usual odds",
    )  # fmt: skip
    for place, each in zip(places, rows, strict=True):
        edge = max(each.value, each.baseline)
        axes.annotate(
            f"{each.value:.0%}", (edge, place), xytext=(7, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(list(places), names)
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.22 * max(0.05, *(max(each.value, each.baseline) for each in rows)))
    axes.set_title("Odds of a fall")
    subtitle(axes, "red: more likely than usual; grey: no proven skill")
    in_hundredths(axes, axis="x")
    axes.grid(visible=False, axis="y")
    axes.legend(loc="lower right")


def _draw_risk(axes: Axes, answer: Recommendation) -> None:
    """Draw the parts of the risk score."""
    parts = answer.risk.parts
    names = [part.name.replace("_", " ") for part in parts]
    colours = [GREEN if part.score < _CALM else ORANGE if part.score < _SEVERE else RED for part in parts]
    axes.barh(range(len(parts)), [100.0] * len(parts), color=PALE, height=0.62)
    axes.barh(range(len(parts)), [part.score for part in parts], color=colours, height=0.62)
    for place, part in enumerate(parts):
        axes.annotate(
            f"{part.score:.0f}", (100.0, place), xytext=(6, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(parts)), names)
    axes.set_xlim(0.0, 108.0)
    axes.invert_yaxis()
    axes.grid(visible=False)
    on = [breaker.id.replace("_", " ") for breaker in answer.breakers if breaker.is_on]
    axes.set_title(f"Risk {answer.risk.score:.0f} of 100")
    subtitle(axes, f"on: {', '.join(on)}" if on else "no market breaker is on")
