"""Work that runners are tried with, where a worker process can import it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from compute.tasks import Task
from when_to_invest.errors import ErrorCode, Fault


def drawn(shared: float, task: Task[int]) -> bytes:
    """Return random numbers of the task's own seed, scaled by what is shared."""
    import numpy as np

    return bytes((shared * np.random.default_rng(task.seed).standard_normal(task.item)).tobytes())


def process(shared: None, task: Task[int]) -> int:
    return os.getpid()


def refusing(shared: None, task: Task[int]) -> int:
    if task.item == 2:
        raise Fault(ErrorCode.NO_DATA, "the second has no bars", fix="import some")
    return task.item


def stubborn(folder: str, task: Task[int]) -> int:
    """Return the item; the first attempt at item 0 tells its process id and never ends."""
    tried = Path(folder, "tried")
    if task.item == 0 and not tried.exists():
        tried.touch()
        Path(folder, "pid").write_text(f"{os.getpid()}\n")  # a pipe: waits for its reader
        signal.pause()
    return task.item


def deadly(caller: int, task: Task[int]) -> int:
    """End the worker that tries it."""
    if os.getpid() == caller:
        raise RuntimeError("the caller did the work itself")
    os.kill(os.getpid(), signal.SIGKILL)
    return task.item


def deadly_at_seven(caller: int, task: Task[int]) -> int:
    """End the worker that tries item 7; return any other."""
    return deadly(caller, task) if task.item == 7 else task.item


def marked(folder: str, task: Task[int]) -> int:
    """Leave a file named like the item, and take a little time."""
    Path(folder, str(task.item)).touch()
    return sum(range(200_000)) * 0 + task.item
