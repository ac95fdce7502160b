"""Whether a ledger's memory grows with its journal: folded at a hundred thousand events and at a million.

Each journal is folded in a process of its own, which tells by how much its peak resident memory
rose above what it was before. Run as a program with a journal's path, it is that process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.long_journal import write_journal
from benchmarks.row import Figure, Row, within
from ledger.live import LiveLedger
from ledger.sqlite_journal import open_journal

SHORT: Final = 100_000
LONG: Final = 1_000_000
GROWTH_MIB: Final = 8.0
_KIB_PER_MIB: Final = 1_024


def rows() -> list[Row]:
    """Return how much more memory ten times the events need."""
    with tempfile.TemporaryDirectory() as made:
        short, long = (_rise_mib(Path(made) / f"{size}.sqlite", events=size) for size in (SHORT, LONG))
    name = f"memory of a ledger, {LONG:,} events beyond {SHORT:,}"
    return [within(name, Figure(max(long - short, 0.0), "MiB"), bound=GROWTH_MIB)]


def _rise_mib(path: Path, *, events: int) -> float:
    write_journal(path, events=events)
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", str(path)], check=True, capture_output=True, text=True
    )
    path.unlink()
    return int(told.stdout) / _KIB_PER_MIB


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(path: Path) -> None:
    """Fold the journal at `path` and print by how many KiB the peak rose."""
    with closing(open_journal(path, is_read_only=True)) as journal:
        ledger = LiveLedger(journal, shelf_in=path.parent)
        before = _peak_kib()
        ledger.refresh()
        sys.stdout.write(f"{_peak_kib() - before}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
