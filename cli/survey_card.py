"""A survey for people: one line an instrument, and what could not be judged."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from when_to_invest.errors import Fault
from when_to_invest.evaluation.report import DropScore, Evaluation

HORIZONS = (5, 21)
THRESHOLD_RATIO = 0.05
_NAMES = ("days", "5 d", "21 d", "surely", "var", "held", "Sharpe", "holding")


def survey_card(found: Mapping[str, Evaluation | Fault]) -> RenderableType:
    """Return skills of odds and variance, coverage, and the sizing's Sharpe ratio beside holding's."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("instrument", no_wrap=True)
    for name in _NAMES:
        table.add_column(name, justify="right", no_wrap=True)
    judged = [each for each in found.values() if isinstance(each, Evaluation)]
    for each in judged:
        table.add_row(*_row(each))
    if len(judged) > 1:
        table.add_row("mean", "", *(_number(_mean(judged, horizon)) for horizon in HORIZONS), style="bold")
    faults = [
        Text(f"• {name}: {each.message}", style="yellow")
        for name, each in found.items()
        if isinstance(each, Fault)
    ]
    told = (
        f"5 d, 21 d: Brier skill of the odds of a fall of {THRESHOLD_RATIO:g}; surely: the low end of the\n"
        "21-day one's 90 % range; var: skill of the 21-day variance; held: share of days on which\n"
        "the 0.9 range held; Sharpe: of the sizing as a position, beside that of holding throughout"
    )
    return Group(table, Text(), Text(told, style="dim"), *faults)


def _row(each: Evaluation) -> tuple[str, ...]:
    week, month = (_fall(each, horizon) for horizon in HORIZONS)
    held = next((one.coverage for one in each.interval if one.level == 0.9), None)  # noqa: PLR2004 - the promised level
    figures = (
        week.brier_skill if week else None,
        month.brier_skill if month else None,
        month.ci90[0] if month else None,
        each.variance.qlike_skill_mean,
        held,
        each.overlay.sharpe,
        each.overlay.sharpe_buy_hold,
    )
    return (each.instrument, f"{each.n:,}", *map(_number, figures))


def _fall(each: Evaluation, horizon: int) -> DropScore | None:
    wanted = (THRESHOLD_RATIO, horizon)
    return next((one for one in each.p_drop if (one.threshold_ratio, one.horizon_days) == wanted), None)


def _mean(judged: list[Evaluation], horizon: int) -> float | None:
    skills = [
        fall.brier_skill
        for each in judged
        if (fall := _fall(each, horizon)) is not None and fall.brier_skill is not None
    ]
    return fmean(skills) if skills else None


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
