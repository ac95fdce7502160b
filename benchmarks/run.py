"""Run the benchmarks named on the command line (all without a name), print and record them."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import benchmarks
from benchmarks.provenance import REPOSITORY, commit, machine
from benchmarks.row import Row

RESULTS: Final = REPOSITORY / "build" / "bench.json"
WITHIN_TARGETS: Final = frozenset(
    {"backtest", "features", "luck", "noise", "odds_skill", "recommend_speed", "unseen"}
)
"""What `targets` measures anyway; a run of everything does it once."""
_NOT_CLAIMS: Final = frozenset(
    {
        "fit_dynamics",
        "fit_priors",
        "long_journal",
        "markets",
        "page",
        "peers",
        "provenance",
        "row",
        "run",
        "sealed_orders",
    }
)


def claims() -> list[str]:
    """Return the names of the benchmark modules, in alphabetical order."""
    return sorted(
        module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name not in _NOT_CLAIMS
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows, and what their modules have to say beside them."""

    rows: list[Row]
    remarks: list[str]


def measure(names: Sequence[str]) -> Measured:
    """Return what the named benchmark modules found, measured one after another."""
    modules = [importlib.import_module(f"benchmarks.{name}") for name in names]
    rows = [row for module in modules for row in module.rows()]
    return Measured(rows, [line for each in modules if hasattr(each, "notes") for line in each.notes()])


def summary(rows: Sequence[Row]) -> str:
    """Return how many targets are met, and the names of those that are missed."""
    missed = [row.name for row in rows if not row.ok]
    told = f"{len(rows) - len(missed)} ok, {len(missed)} missed"
    return f"{told}: {', '.join(missed)}" if missed else told


def as_text(row: Row) -> str:
    """Return one line: mark, name, value, and the peer or the bound."""
    mark = "ok  " if row.ok else "MISS"
    ours = f"{row.value:>14,.4g} {row.unit:<10}"
    if row.ratio is None:
        return f"{mark} {row.name:<44} {ours} bound {row.target:,.4g} {row.unit}"
    return (
        f"{mark} {row.name:<44} {ours} {row.ratio:.2f}x {row.peer} "
        f"({row.peer_value:,.4g} {row.unit}; at least {row.target:g}x)"
    )


def record(rows: Iterable[Row]) -> None:
    """Write the rows with commit and machine to `build/bench.json`."""
    origin = {"commit": commit(), "machine": machine()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([{**asdict(row), **origin} for row in rows], indent=2) + "\n")


def main(arguments: Sequence[str]) -> int:
    """Measure, print and record; return 1 when a target is missed, 2 for an unknown name."""
    unknown = set(arguments) - set(claims())
    if unknown:
        print(f"no benchmark is called {', '.join(sorted(unknown))}; there are: {', '.join(claims())}")
        return 2
    found = measure(arguments or [name for name in claims() if name not in WITHIN_TARGETS])
    rows = found.rows
    print(f"{commit()} on {machine()}")
    for line in (*map(as_text, rows), *found.remarks, summary(rows)):
        print(line)
    record(rows)
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
