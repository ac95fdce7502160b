"""How long a person waits for the first line of help, beside the smallest program of its kind."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from benchmarks.row import Figure, Row, against, median_s, within

REPEATS: Final = 7
HELP_S: Final = 0.3
_SMALLEST: Final = "import typer; app = typer.Typer(); app.command()(lambda: None); app()"


def rows() -> list[Row]:
    """Measure `when-to-invest --help` against a promise and against a bare typer program."""
    ours = Figure(_seconds("-m", "cli", "--help"), "s")
    bare = _seconds("-c", _SMALLEST, "--help")
    return [
        within("show --help", ours, bound=HELP_S),
        against("show --help", ours, peer="a typer program of one command", peer_value=bare, least_ratio=0.5),
    ]


def _seconds(*arguments: str) -> float:
    def run() -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    return median_s(run, repeats=REPEATS)
