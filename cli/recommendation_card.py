"""The recommendation as a card: the answer first, then the odds beside their baselines."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agents.explanation import changes, hundredths, prospects, record, signed
from cli.cards import usd
from when_to_invest.canonical import utc_text
from when_to_invest.decision.recommendation import Action, Breaker, DropOdds, Recommendation, Tranche
from when_to_invest.money import share_usd

HEADLINE: Final = {
    Action.INVEST_NOW: ("yes, invest now", "bold green"),
    Action.STAGE: ("in steps", "bold yellow"),
    Action.WAIT: ("not yet, wait", "bold yellow"),
    Action.HOLD: ("hold what you have", "bold cyan"),
    Action.REDUCE: ("no, reduce", "bold red"),
}
ADDING: Final = frozenset({Action.INVEST_NOW, Action.STAGE})
BAR_WIDTH: Final = 20


def _meter(value: float, *, style: str) -> Text:
    filled = round(BAR_WIDTH * value)
    return Text.assemble(("█" * filled, style), ("░" * (BAR_WIDTH - filled), "dim"))


def _answer(answer: Recommendation, budget_usd: Decimal | None) -> Text:
    words, style = HEADLINE[answer.action]
    line = Text.assemble(("Is now the time?  ", "dim"), (words, style))
    if answer.action is Action.HOLD:
        line.append(f"   {hundredths(answer.held_fraction)} of the budget is held")
        return line
    adds = "more of the budget" if answer.held_fraction and answer.action in ADDING else "of the budget"
    line.append(f"   {hundredths(answer.size_fraction)} {adds}")
    if budget_usd is not None:
        line.append(f" = {usd(share_usd(budget_usd, answer.size_fraction))}", style="bold")
    return line


def _schedule(answer: Recommendation, budget_usd: Decimal | None) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for number, tranche in enumerate(answer.schedule, start=1):
        amount = f" = {usd(share_usd(budget_usd, tranche.fraction))}" if budget_usd is not None else ""
        lines.append(Text(f"  step {number}: {hundredths(tranche.fraction)}{amount}, {_when(tranche)}"))
    return lines


def _when(tranche: Tranche) -> str:
    """Return the tranche's own words, its date in the place of a hint at it."""
    return tranche.text.replace("its date", f"{tranche.due_at:%Y-%m-%d}") if tranche.due_at else tranche.text


def _odds(answer: Recommendation) -> Table:
    """Return the odds of falls as thresholds by horizons, each beside how usual it is."""
    horizons = sorted({odds.horizon_days for odds in answer.p_drop})
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("odds of a fall of")
    for days in horizons:
        table.add_column(f"{days} days (usual)", no_wrap=True)
    for threshold in sorted({odds.threshold_ratio for odds in answer.p_drop}):
        cells = [_cell(_find(answer, threshold, days)) for days in horizons]
        table.add_row(Text(hundredths(threshold), no_wrap=True), *cells)
    return table


def _find(answer: Recommendation, threshold: float, days: int) -> DropOdds | None:
    wanted = (threshold, days)
    return next((odds for odds in answer.p_drop if (odds.threshold_ratio, odds.horizon_days) == wanted), None)


def _cell(odds: DropOdds | None) -> Text:
    if odds is None:
        return Text("")
    is_worse = odds.value > odds.baseline
    style = "dim" if not odds.has_skill else "red" if is_worse else "green"
    return Text.assemble((f"{hundredths(odds.value):>6}", style), (f" ({hundredths(odds.baseline)})", "dim"))


def _outlook(answer: Recommendation) -> list[Text]:
    up = answer.p_up
    note = "" if up.has_skill else "; direction has no proven skill"
    bands = ",  ".join(
        f"{signed(band.low)} to {signed(band.high)} ({band.level:.0%} of the time)"
        for band in answer.return_interval
    )
    return [
        Text(
            f"Higher in {answer.horizon_days} days: {hundredths(up.value)}, "
            f"usually {hundredths(up.baseline)}{note}."
        ),
        Text(f"Return by then: {bands}."),
        Text(f"Volatility: {hundredths(answer.sigma_annual)} a year."),
    ]


def _ahead(answer: Recommendation) -> list[RenderableType]:
    """Return cost of waiting, first days of falls and regime, a line each, and room below."""
    lines: list[RenderableType] = [Text(f"{line[0].upper()}{line[1:]}.") for line in prospects(answer)]
    return [*lines, Text()] if lines else []


def _risk(answer: Recommendation) -> RenderableType:
    score = answer.risk.score
    style = "green" if score < 40 else "yellow" if score < 70 else "red"  # noqa: PLR2004 - colours only
    parts = ", ".join(f"{part.name.replace('_', ' ')} {part.score:.0f}" for part in answer.risk.parts)
    return Text.assemble(
        ("risk  ", "dim"),
        _meter(score / 100, style=style),
        (f" {score:.0f} of 100  ", "bold"),
        (parts, "dim"),
    )


def _since(breaker: Breaker) -> str:
    return f" since {breaker.since:%Y-%m-%d}" if breaker.since else ""


def _tail(answer: Recommendation) -> list[RenderableType]:
    lines: list[RenderableType] = [
        Text(f"breaker {breaker.id} is on{_since(breaker)}; clears when {breaker.clears_when}", style="red")
        for breaker in answer.breakers
        if breaker.is_on
    ]
    lines.extend(Text(f"• {step.text}") for step in answer.explanation)
    if answer.invalidation:
        lines.append(Text("What would change it:", style="dim"))
        lines.extend(Text(f"  ↺ {line}") for line in changes(answer))
    return lines


def recommendation_card(answer: Recommendation, *, budget_usd: Decimal | None) -> Panel:
    """Return the whole answer; every figure on it stands in the recommendation's evidence."""
    body = Group(
        _answer(answer, budget_usd),
        *_schedule(answer, budget_usd),
        Text(),
        *_outlook(answer),
        Text(),
        _odds(answer),
        *([Text(f"{record(answer)}.", style="dim")] if answer.calibration else []),
        Text(),
        *_ahead(answer),
        _risk(answer),
        Text(),
        *_tail(answer),
        Text(),
        Text(answer.limits, style="italic dim"),
        Text(f"{len(answer.evidence)} facts from data {answer.snapshot_hash[:12]}.", style="dim"),
    )
    return Panel(
        body,
        title=f"[bold]{answer.instrument}[/] as of {utc_text(answer.as_of)[:10]}",
        subtitle=f"{answer.id} · expires {utc_text(answer.expires_at)[:10]}",
        title_align="left",
        subtitle_align="left",
        padding=(1, 2),
    )
