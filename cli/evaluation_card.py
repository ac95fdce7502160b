"""An evaluation for people: every figure in words, beside what is promised, lost years included."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from when_to_invest.evaluation.report import Evaluation, PeriodScore
from when_to_invest.evaluation.targets import FIGURES, Target, promised


def _mark(target: Target, value: float | None) -> Text:
    if value is None:
        return Text("")
    return Text("✓", style="bold green") if target.is_met(value) else Text("missed", style="bold red")


def _figures(found: Evaluation) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("what")
    table.add_column("measured", justify="right")
    rows = {target.name for target in promised(found.instrument)}
    if rows:
        table.add_column("promised", style="dim")
        table.add_column("")
    for target in FIGURES:
        value, is_promised = target.read(found), target.name in rows
        if value is None and not is_promised:
            continue
        shown = "unknown" if value is None else f"{value:.3f}"
        told = (target.bound(), _mark(target, value)) if is_promised else ()
        table.add_row(target.words, shown, *told)
    return table


def _drops(found: Evaluation) -> Table:
    """Return the skill of all odds of a fall, thresholds by horizons."""
    horizons = sorted({each.horizon_days for each in found.p_drop})
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 3, 0, 0))
    table.add_column("fall of")
    for days in horizons:
        table.add_column(f"in {days} days (90 %)", no_wrap=True)
    for threshold in sorted({each.threshold_ratio for each in found.p_drop}):
        row = [each for each in found.p_drop if each.threshold_ratio == threshold]
        cells = [
            _skill(each.brier_skill, *each.ci90) for each in sorted(row, key=lambda one: one.horizon_days)
        ]
        table.add_row(f"{threshold:g}", *cells)
    return table


def _skill(skill: float | None, low: float | None, high: float | None) -> Text:
    if skill is None:
        return Text("unknown", style="dim")
    style = "green" if low is not None and low > 0.0 else "dim"
    interval = f" ({low:+.2f} {high:+.2f})" if low is not None and high is not None else ""
    return Text.assemble((f"{skill:+.2f}", style), (interval, "dim"))


def _periods(periods: tuple[PeriodScore, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 3, 0, 0))
    table.add_column("years", no_wrap=True)
    for name in ("return", "Sharpe", "deepest fall"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for each in periods:
        cells = (
            _pair(each.return_ratio, each.return_buy_hold_ratio, signed=True),
            _pair(each.sharpe, each.sharpe_buy_hold),
            _pair(each.max_drawdown_ratio, each.max_drawdown_buy_hold_ratio),
        )
        verdict = Text("lost", style="red") if each.is_lost else Text("")
        table.add_row(f"{each.start[:4]} to {each.end[:4]}", *cells, verdict)
    return table


def _pair(ours: float | None, theirs: float | None, *, signed: bool = False) -> Text:
    """Return a figure of the position, and dimmed that of holding."""
    form = "{:+.2f}" if signed else "{:.2f}"
    shown = ["?" if value is None else form.format(value) for value in (ours, theirs)]
    return Text.assemble(shown[0], (f" | {shown[1]:>5}", "dim"))


def evaluation_card(found: Evaluation) -> Panel:
    """Return the whole evaluation."""
    direction = "has skill" if found.p_up.has_skill else "has no proven skill, and is shown so"
    parts: list[RenderableType] = [_figures(found), Text()]
    if any(each.brier_skill is not None for each in found.p_drop):
        parts.append(Text("Skill of the odds of a fall over its frequency", style="dim"))
        parts += [_drops(found), Text()]
    if found.overlay.periods:
        parts.append(Text("The sizing held as a position | holding throughout", style="dim"))
        parts += [_periods(found.overlay.periods), Text()]
    if found.p_up.brier_skill is not None:
        parts.append(Text(f"Direction {direction}."))
    if found.overlay.deflated_sharpe is not None:
        parts.append(
            Text(
                f"After {found.overlay.trials} trials the position's Sharpe ratio is above luck with "
                f"probability {found.overlay.deflated_sharpe:.2f}."
            )
        )
    parts += [Text(f"• {note}", style="dim") for note in found.notes]
    return Panel(
        Group(*parts),
        title=f"[bold]{found.instrument}[/] judged from {found.start} to {found.end}",
        subtitle=f"n = {found.n}; every forecast made as it would have been made on its day",
        title_align="left",
        subtitle_align="left",
        padding=(1, 2),
    )
