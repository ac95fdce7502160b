"""Runs the real executor with a probe that kills its own process; only tests start this file.

usage: killed_executor.py HOME [POINT | forever]

The first time POINT is reached, and only once per home, the process sends itself SIGKILL:
nothing is flushed, closed or handed back. Without a point it runs until idle.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from executor.main import run
from executor.probe import NoProbe, Point, Probe
from home.paths import Home
from when_to_invest.errors import Fault


class Killer:
    """Kills this process at a point, once per home."""

    def __init__(self, home: Home, point: Point) -> None:
        self._mark = home.root / "killed-once"
        self._point = point

    def reached(self, point: Point) -> None:
        if point is self._point and not self._mark.exists():
            self._mark.write_text(point.value)
            os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: list[str]) -> int:
    home = Home(Path(arguments[0]))
    wish = arguments[1] if len(arguments) > 1 else ""
    probe: Probe = Killer(home, Point(wish)) if wish in set(Point) else NoProbe()
    try:
        return run(home, until_idle=wish != "forever", probe=probe)
    except Fault as fault:
        sys.stderr.write(json.dumps({"error": fault.as_json()}) + "\n")
        return fault.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
