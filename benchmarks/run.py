"""Run the benchmarks named on the command line (all without a name), print and record them."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Final

import benchmarks
from benchmarks.provenance import REPOSITORY, commit, machine
from benchmarks.row import Row

RESULTS: Final = REPOSITORY / "build" / "bench.json"
_NOT_CLAIMS: Final = frozenset({"fit_dynamics", "fit_priors", "markets", "peers", "provenance", "row", "run"})


def claims() -> list[str]:
    """Return the names of the benchmark modules, in alphabetical order."""
    return sorted(
        module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name not in _NOT_CLAIMS
    )


def measure(names: Sequence[str]) -> list[Row]:
    """Return the rows of the named benchmark modules, measured one after another."""
    return [row for name in names for row in importlib.import_module(f"benchmarks.{name}").rows()]


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
    rows = measure(arguments or claims())
    print(f"{commit()} on {machine()}")
    for row in rows:
        print(as_text(row))
    record(rows)
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
