"""Where a figure comes from: the commit and the machine, written beside every result."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent
_CPUINFO: Final = Path("/proc/cpuinfo")


def commit() -> str:
    """Return the commit measured, with `+changes` when the tree differs; `unknown` outside Git."""
    git = ("git", "-c", "safe.directory=*", "-C", str(REPOSITORY))
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        )
        status = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+changes" if status.stdout.strip() else "")


def machine() -> str:
    """Return processor, cores, system and Python in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    if _CPUINFO.is_file():
        for line in _CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
