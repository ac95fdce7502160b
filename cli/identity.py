"""Which process a pid means: the number together with the moment the process started.

A pid is reused after its process ended. Nothing of ours sends a signal to a number whose
start time is not the one that was written down.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STAT: Final = Path("/proc")
_START_TIME_FIELD: Final = 19
"""Index of the start time among the fields after the command's closing bracket."""
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that was seen running: its pid and an opaque mark of when it started."""

    pid: int
    started: str

    def is_running(self) -> bool:
        """Return whether this very process still runs."""
        return bool(self.started) and start_mark(self.pid) == self.started

    def signal(self, number: signal.Signals, *, is_group: bool = False) -> bool:
        """Send a signal to this very process (or the group it leads); return whether it was sent."""
        if not self.is_running():
            return False
        with contextlib.suppress(ProcessLookupError):
            if is_group:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
            return True
        return False

    def wait_gone(self, *, timeout_s: float) -> bool:
        """Wait until the process has ended; return whether it has."""
        deadline_s = time.monotonic() + timeout_s
        while self.is_running():
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(_POLL_S)
        return True


def identify(pid: int) -> Identity:
    """Return the identity of a process that is running now; an empty mark when it is not."""
    return Identity(pid, start_mark(pid))


def start_mark(pid: int) -> str:
    """Return when the process with this pid started, empty when there is none (or a zombie)."""
    if _STAT.joinpath("self/stat").exists():
        return _mark_from_proc(pid)
    return _mark_from_ps(pid)


def _mark_from_proc(pid: int) -> str:
    try:
        text = (_STAT / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    # The command's name may hold spaces and brackets: fields count from its last bracket.
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[_START_TIME_FIELD]


def _mark_from_ps(pid: int) -> str:
    told = subprocess.run(  # noqa: S603 - fixed program, the pid is a number
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return "" if not told or told.startswith("Z") else " ".join(told.split()[1:])
