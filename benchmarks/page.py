"""Write docs/measured.md from the last run of `make bench ARGS=targets` (build/bench.json)."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from benchmarks.provenance import REPOSITORY
from benchmarks.run import RESULTS

PAGE: Final = REPOSITORY / "docs" / "measured.md"
_LEAD: Final = """# Measured

<!-- Written by `make measured`; run it again, do not edit. -->

Every figure below was printed by one run of `make bench ARGS=targets` at commit `{commit}` on {machine}.
A row that misses its aim is shown like the others. Skills are Brier or QLIKE skill against the base
rate that was known at the time; "unseen" instruments taught the lessons nothing, nor did their family,
but the design was chosen with them in view. The indices' test years, 2004-2018, were looked at beside
many variants. {missed} of {count} rows miss their aim.
"""


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of `rows` as `benchmarks.run` records them; at least one."""
    missed = sum(not row["ok"] for row in rows)
    lead = _LEAD.format(commit=rows[0]["commit"], machine=rows[0]["machine"], missed=missed, count=len(rows))
    ordered = sorted(rows, key=_subject)
    return lead + "".join(_table(subject, list(group)) for subject, group in groupby(ordered, key=_subject))


def _subject(row: Mapping[str, Any]) -> str:
    return ".".join(str(row["name"]).split(" ", maxsplit=1)[0].split(".")[:2])


def _table(subject: str, rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"\n## {subject}\n", "| figure | value | aim | |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *map(_line, rows)]) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    value = f"{row['value']:,.4g} {row['unit']}"
    aim = f"{row['target']:,.4g} {row['unit']}"
    if row["ratio"] is not None:
        value += f", {row['ratio']:.3g}x {row['peer']}"
        aim = f"at least {row['target']:g}x"
    return f"| {row['name']} | {value} | {aim} | {'met' if row['ok'] else '**missed**'} |"


def main() -> int:
    """Write the page; return 2 when nothing was measured."""
    if not RESULTS.exists():
        sys.stderr.write("nothing was measured yet: run `make bench ARGS=targets`\n")
        return 2
    PAGE.write_text(page(json.loads(RESULTS.read_text(encoding="utf-8"))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
