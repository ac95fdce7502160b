"""The lake for people: what an import kept and found odd, and which files are sound."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType
from rich.text import Text

from cli.cards import instrument_table

if TYPE_CHECKING:
    from market_data.catalogue import Damaged
    from market_data.import_report import ImportReport
    from when_to_invest.instruments import Instrument

SHOWN: Final = 10
"""Flags and gaps that people see of each; scripts get more."""


def import_card(found: ImportReport) -> RenderableType:
    """Return what an import kept, its notes, and every kind of oddity that it found."""
    kept = f"{found.rows:,} bars of {found.interval} as {found.instrument}"
    lines = [
        Text.assemble(("imported ", "bold green"), kept),
        Text(f"  {found.start:%Y-%m-%d} to {found.end:%Y-%m-%d}", style="dim"),
        *(Text(f"  note: {note}") for note in found.notes),
    ]
    return Group(*lines, *finding_lines(found))


def finding_lines(found: ImportReport) -> Iterable[Text]:
    """Yield the first flags and gaps, and how many more there are."""
    for flag in found.flags[:SHOWN]:
        yield Text(f"  odd: {flag}", style="yellow")
    if (more := found.flag_count - SHOWN) > 0:
        yield Text(f"  odd: {more:,} more bars; see --json for the first of them", style="yellow")
    for gap in found.gaps[:SHOWN]:
        yield Text(
            f"  gap: {gap.days:,} days without a bar, {gap.after:%Y-%m-%d} to {gap.until:%Y-%m-%d}",
            style="yellow",
        )
    if (more := found.gap_count - SHOWN) > 0:
        yield Text(f"  gap: {more:,} more", style="yellow")


def catalogue_card(known: Iterable[Instrument], damaged: Iterable[Damaged]) -> RenderableType:
    """Return the catalogue, and below it what could not be read."""
    return Group(instrument_table(known), *(_damage(each) for each in damaged))


def check_card(sound: Iterable[ImportReport], damaged: Iterable[Damaged]) -> RenderableType:
    """Return every imported instrument: sound, with what its import found odd, or damaged."""
    lines: list[Text] = []
    for found in sound:
        lines.append(Text.assemble(("sound ", "bold green"), f"{found.instrument}: {found.rows:,} bars"))
        lines.extend(finding_lines(found))
    lines.extend(_damage(each) for each in damaged)
    return Group(*lines) if lines else Text("nothing is imported here", style="dim")


def _damage(each: Damaged) -> Text:
    return Text.assemble(("damaged ", "bold red"), f"{each.id}: {each.fault.message}; {each.fault.fix}")
