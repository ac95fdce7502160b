"""Runs the real executor with a probe that kills its own process; only tests start this file.

usage: killed_executor.py HOME [POINT [OCCURRENCE]]

At the n-th time POINT is reached (default: the first), and only once per home, the process
sends itself SIGKILL: nothing is flushed, closed or handed back.
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

    def __init__(self, home: Home, point: Point, occurrence: int) -> None:
        self._mark = home.root / "killed-once"
        self._point = point
        self._left = occurrence

    def reached(self, point: Point) -> None:
        if point is not self._point or self._mark.exists():
            return
        self._left -= 1
        if self._left == 0:
            self._mark.write_text(point.value)
            os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: list[str]) -> int:
    home = Home(Path(arguments[0]))
    probe: Probe = NoProbe()
    if len(arguments) > 1:
        probe = Killer(home, Point(arguments[1]), int(arguments[2]) if len(arguments) > 2 else 1)
    try:
        return run(home, until_idle=True, probe=probe)
    except Fault as fault:
        sys.stderr.write(json.dumps({"error": fault.as_json()}) + "\n")
        return fault.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
