"""Model cards for people: one table a horizon, the incumbent first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from when_to_invest.models.contest_scores import Estimate
    from when_to_invest.models.registry import ModelCard

_STYLES: Final = {"incumbent": "bold", "challenger": "dim", "promoted": "bold green"}


def models_card(contests: tuple[tuple[ModelCard, ...], ...]) -> Panel:
    """Return the contests, each the cards of the models that took part; at least one."""
    first = contests[0][0]
    parts: list[RenderableType] = []
    for cards in contests:
        head = cards[0]
        parts += [
            Text(
                f"Fall of {head.threshold_ratio:g} within {head.horizon_days} days: "
                f"{head.n} days from {head.start} to {head.end}, {head.falls} before a fall"
            ),
            _table(cards),
            Text(),
        ]
    parts += [Text(f"• {card.name}: {card.what}", style="dim") for card in contests[0]]
    level = first.scores[0].estimate.level
    parts.append(
        Text(
            f"Skill = 1 - Brier / the other's Brier, with its {level:g} interval. A challenger is promoted "
            "only when all of its gain lies above zero; it then still changes no recommendation.",
            style="dim",
        )
    )
    return Panel(
        Group(*parts),
        title=f"[bold]{first.instrument}[/] models in contest",
        subtitle=f"code {first.code_version[:16]}, data {first.judged_on.sha256[:16]}, seed {first.seed}",
        title_align="left",
        subtitle_align="left",
        padding=(1, 2),
    )


def _table(cards: tuple[ModelCard, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("model", "standing"):
        table.add_column(name, no_wrap=True)
    for name in ("skill over frequency", "skill over incumbent"):
        table.add_column(name, no_wrap=True)
    for card in cards:
        known = {score.name: score.estimate for score in card.scores}
        table.add_row(
            card.name,
            Text(card.standing.value, style=_STYLES[card.standing.value]),
            _shown(known["skill_vs_climatology"]),
            _shown(known.get("skill_vs_incumbent")),
        )
    return table


def _shown(estimate: Estimate | None) -> Text:
    if estimate is None:
        return Text("")
    if estimate.value is None:
        return Text("unknown", style="dim")
    shown = Text(f"{estimate.value:+.3f}", style="green" if estimate.is_above_zero else "")
    if estimate.low is not None and estimate.high is not None:
        shown.append(f" ({estimate.low:+.2f} {estimate.high:+.2f})", style="dim")
    return shown
