"""Run the real executor of a home and end it with SIGKILL when it reaches a named point."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from executor.main import run
from executor.probe import Point
from home.paths import Home


class Killer:
    """A probe that does not return from its point."""

    def __init__(self, point: Point) -> None:
        self._point = point

    def reached(self, point: Point) -> None:
        if point is self._point:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(run(Home(Path(sys.argv[1])), until_idle=True, probe=Killer(Point(sys.argv[2]))))
