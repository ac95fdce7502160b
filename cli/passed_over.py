"""How the command line tells of events that changed nothing, though the journal holds them.

Whoever can write the journal can write a resumption or a new approver into it; without the
signatures it needs it counts for nobody, and people should hear that somebody tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.live import PassedOver


def passed_over_json(events: Iterable[PassedOver]) -> list[dict[str, object]]:
    """Return the objects that `--json` shows of them."""
    return [{"sequence": each.sequence, "kind": each.kind, "why": each.why} for each in events]


def tell_passed_over(events: Sequence[PassedOver], count: int) -> None:
    """Print one line for each, and how many more there are; nothing when there are none."""
    from cli.output import console

    for each in events:
        console().print(f"[bold red]passed over[/] event {each.sequence} ({each.kind}): {each.why}")
    if count > len(events):
        console().print(f"[bold red]passed over[/] {count - len(events)} more")
