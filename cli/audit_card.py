"""How an audit looks: one object for scripts, a few lines for people."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from when_to_invest.canonical import utc_text

if TYPE_CHECKING:
    from when_to_invest.honesty.lookahead import Audit, Finding

SHOWN = 10
"""Findings that people see; scripts get all."""
_METHOD = {
    "truncation": "the bars after the cut were taken away",
    "other_future": "the bars after the cut came otherwise",
    "warm_up": "it was started later",
    "unrepeatable": "the same bars were given twice",
    "foreknowledge": "it was shown other prices, and still knew the real next returns",
}


def audit_json(result: Audit, *, instrument: str) -> dict[str, object]:
    """Return the object that `audit-lookahead --json` promises; NaN is null."""
    return {
        "strategy": result.subject,
        "instrument": instrument,
        "ok": result.is_clean,
        "bars": result.bars,
        "cuts": list(result.cuts),
        "abstained": result.abstained,
        "findings": [_finding_json(finding) for finding in result.findings],
    }


def audit_card(result: Audit, *, instrument: str) -> RenderableType:
    """Return the verdict, and for each leak the bar, the cut and both values."""
    place = f"{result.subject} on {instrument}: {len(result.cuts)} cuts in {result.bars:,} bars"
    if result.abstained:
        place += f", abstained at {result.abstained}"
    if result.is_clean:
        return Text.assemble(("no look-ahead found ", "bold green"), place)
    lines = [line for finding in result.findings[:SHOWN] for line in _lines(finding)]
    if len(result.findings) > SHOWN:
        lines.append(Text(f"  and {len(result.findings) - SHOWN} more (--json shows all)", style="dim"))
    return Group(Text.assemble(("look-ahead found ", "bold red"), place), *lines)


def _lines(finding: Finding) -> tuple[Text, Text]:
    return (
        Text.assemble(
            ("  leak ", "red"),
            f"{finding.column} at bar {finding.bar} ({finding.opened_at:%Y-%m-%d %H:%M}), ",
            f"cut {finding.cut}: ",
            f"{finding.with_future} became {finding.without_future}",
        ),
        Text(f"       {_METHOD[finding.kind.value]} ({finding.how})", style="dim"),
    )


def _finding_json(finding: Finding) -> dict[str, object]:
    return {
        "kind": finding.kind.value,
        "how": finding.how,
        "cut": finding.cut,
        "bar": finding.bar,
        "opened_at": utc_text(finding.opened_at),
        "column": finding.column,
        "with_future": _plain(finding.with_future),
        "without_future": _plain(finding.without_future),
    }


def _plain(value: float | str) -> float | str | None:
    return value if isinstance(value, str) or isfinite(value) else None
