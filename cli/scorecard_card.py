"""The scorecard for people: how the odds did, then every recommendation beside what came."""

from __future__ import annotations

from typing import Final

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from when_to_invest.canonical import utc_text
from when_to_invest.evaluation.scorecard import Group, OddsTally, RangeTally, Scorecard, Scored

LONGEST_LIST: Final = 20


def _figure(value: float | None, why: str) -> Text:
    return Text(why.split(":", maxsplit=1)[0], style="dim") if value is None else Text(f"{value:.3f}")


def _tallies(group: Group) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("what was said", no_wrap=True)
    for name in ("n", "apart", "error", "of base", "skill"):
        table.add_column(name, justify="right", no_wrap=True)
    for tally in (*group.p_drop, *group.p_up):
        figures = (tally.brier, tally.brier_baseline, tally.brier_skill)
        table.add_row(
            _said(tally),
            str(tally.n),
            str(tally.n_effective),
            *(_figure(value, tally.why) for value in figures),
        )
    for band in group.interval:
        table.add_row(
            _range(band), str(band.n), str(band.n_effective), _figure(band.coverage, band.why), "", ""
        )
    return table


def _said(tally: OddsTally) -> str:
    what = "higher" if tally.threshold_ratio is None else f"fall of {tally.threshold_ratio:g}"
    return f"{what} in {tally.horizon_days} d (Brier)"


def _range(band: RangeTally) -> str:
    return f"{band.level:g} range in {band.horizon_days} d (held)"


def _list(recommendations: tuple[Scored, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("made", "of", "advice", "size"):
        table.add_column(name, no_wrap=name != "of", overflow="fold")
    days = sorted({each.horizon_days for one in recommendations for each in one.outcomes})
    for day in days:
        table.add_column(f"in {day} d", no_wrap=True, justify="right")
    for one in recommendations[-LONGEST_LIST:]:
        found = {each.horizon_days: each for each in one.outcomes}
        cells = [_outcome(found[day].return_ratio) if day in found else Text() for day in days]
        made = utc_text(one.as_of)[:10]
        table.add_row(made, one.instrument, one.action.value, f"{one.size_fraction:.2f}", *cells)
    return table


def _outcome(gain: float | None) -> Text:
    if gain is None:
        return Text("open", style="dim")
    return Text(f"{gain:+.3f}", style="green" if gain > 0.0 else "red")


def scorecard_card(found: Scorecard) -> Panel:
    """Return the whole scorecard; the longest lists show their newest rows."""
    parts: list[RenderableType] = []
    for group in found.groups:
        parts += [
            Text(f"{group.group}: {group.n} recommendations on {group.days} days", style="bold"),
            _tallies(group),
            Text(),
        ]
    if found.recommendations:
        parts.append(_list(found.recommendations))
    else:
        parts.append(Text("no recommendation was recorded here", style="dim"))
    if (hidden := len(found.recommendations) - LONGEST_LIST) > 0:
        parts.append(Text(f"{hidden} earlier ones: see --json", style="dim"))
    parts += [Text(f"• {note}", style="dim") for note in found.notes]
    return Panel(
        Stack(*parts),
        title=f"[bold]scorecard[/] as of {utc_text(found.as_of)[:10]}",
        subtitle="a horizon counts once it is over; no statistic below 30 apart",
        title_align="left",
        subtitle_align="left",
        padding=(1, 2),
    )
