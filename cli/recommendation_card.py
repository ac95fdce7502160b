"""The recommendation as a card: the answer first, then the odds beside their baselines."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.cards import usd
from when_to_invest.canonical import utc_text
from when_to_invest.decision.recommendation import Action, DropOdds, Recommendation
from when_to_invest.money import share_usd

HEADLINE: Final = {
    Action.INVEST_NOW: ("yes, invest now", "bold green"),
    Action.STAGE: ("in steps", "bold yellow"),
    Action.WAIT: ("not yet, wait", "bold yellow"),
    Action.REDUCE: ("no, reduce", "bold red"),
}
BAR_WIDTH: Final = 20


def ratio_text(ratio: float) -> str:
    """Return a ratio as hundredths with one decimal and a `%` sign."""
    return f"{100 * ratio:.1f} %"


def _meter(value: float, *, style: str) -> Text:
    filled = round(BAR_WIDTH * value)
    return Text.assemble(("█" * filled, style), ("░" * (BAR_WIDTH - filled), "dim"))


def _answer(answer: Recommendation, budget_usd: Decimal | None) -> Text:
    words, style = HEADLINE[answer.action]
    line = Text.assemble(("Is now the time?  ", "dim"), (words, style))
    line.append(f"   {ratio_text(answer.size_fraction)} of the budget")
    if budget_usd is not None:
        line.append(f" = {usd(share_usd(budget_usd, answer.size_fraction))}", style="bold")
    return line


def _schedule(answer: Recommendation, budget_usd: Decimal | None) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for number, tranche in enumerate(answer.schedule, start=1):
        amount = f" = {usd(share_usd(budget_usd, tranche.fraction))}" if budget_usd is not None else ""
        lines.append(Text(f"  step {number}: {ratio_text(tranche.fraction)}{amount}, {tranche.text}"))
    return lines


def _drop_row(table: Table, odds: DropOdds) -> None:
    name = f"falls {ratio_text(odds.threshold_ratio)} within {odds.horizon_days} days"
    note = "" if odds.has_skill else "no skill: the usual frequency"
    table.add_row(name, ratio_text(odds.value), f"usually {ratio_text(odds.baseline)}", note)


def _odds(answer: Recommendation) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    up = answer.p_up
    note = "" if up.has_skill else "no skill: direction is not forecastable here"
    table.add_row(
        f"higher in {answer.horizon_days} days", ratio_text(up.value), f"usually {ratio_text(up.baseline)}", note
    )
    for odds in answer.p_drop:
        _drop_row(table, odds)
    for interval in answer.return_interval:
        table.add_row(
            f"return, {interval.level:.0%} of the time",
            f"{100 * interval.low:+.1f} % … {100 * interval.high:+.1f} %",
            "",
            "",
        )
    table.add_row("volatility, a year", ratio_text(answer.sigma_annual), "", "")
    return table


def _risk(answer: Recommendation) -> RenderableType:
    score = answer.risk.score
    style = "green" if score < 40 else "yellow" if score < 70 else "red"  # noqa: PLR2004 - colours only
    parts = ", ".join(f"{part.name.replace('_', ' ')} {part.score:.0f}" for part in answer.risk.parts)
    return Text.assemble(
        ("risk  ", "dim"), _meter(score / 100, style=style), (f" {score:.0f} of 100  ", "bold"), (parts, "dim")
    )


def _tail(answer: Recommendation) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for breaker in answer.breakers:
        if breaker.is_on:
            lines.append(Text(f"breaker {breaker.id} is on; clears when {breaker.clears_when}", style="red"))
    lines.extend(Text(f"• {step.text}") for step in answer.explanation)
    if answer.invalidation:
        lines.append(Text("What would change it:", style="dim"))
        lines.extend(Text(f"  ↺ {predicate.text}") for predicate in answer.invalidation)
    return lines


def recommendation_card(answer: Recommendation, *, budget_usd: Decimal | None) -> Panel:
    """Return the whole answer; every figure on it stands in the recommendation's evidence."""
    body = Group(
        _answer(answer, budget_usd),
        *_schedule(answer, budget_usd),
        Text(),
        _odds(answer),
        _risk(answer),
        Text(),
        *_tail(answer),
        Text(),
        Text(answer.limits, style="italic dim"),
    )
    return Panel(
        body,
        title=f"[bold]{answer.instrument}[/] as of {utc_text(answer.as_of)[:10]}",
        subtitle=f"{answer.id} · {len(answer.evidence)} facts · data {answer.snapshot_hash[:12]}… · "
        f"expires {utc_text(answer.expires_at)[:10]}",
        title_align="left",
        subtitle_align="left",
        padding=(1, 2),
    )
