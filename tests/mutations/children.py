"""Runs work in forked children, a few at once, and tells how each ended.

What a child uses is bounded by its own CPU time, never by the wall clock: other work on the machine
makes a child slow, and slow is not wrong. A child that waits for ever without working is ended and
counts as having found nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LONGEST_WAIT_S = 180
_MEMORY_BYTES = 8 * 2**30


@dataclass(frozen=True, slots=True)
class Work:
    """What a child does and returns as JSON, and how many seconds of CPU it may use."""

    name: Any
    run: Callable[[], Any]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """What a child returned, or how it ended instead: `cpu`, `died` or `stuck`."""

    work: Work
    answer: Any
    how: str


@dataclass(slots=True)
class _Child:
    work: Work
    pid: int
    room: str
    started: float
    said: bytes = b""


def run_all(
    works: Iterator[Work], *, at_once: int, longest_wait_s: float = _LONGEST_WAIT_S
) -> Iterator[Ended]:
    """Run each piece of work in a child of its own; yield them as they end."""
    running: dict[int, _Child] = {}
    while True:
        while len(running) < at_once and (work := next(works, None)) is not None:
            pipe, child = _started(work)
            running[pipe] = child
        if not running:
            return
        yield from _ended(running, longest_wait_s)


def allow_cpu(more_s: float) -> None:
    """Bound what this child may still use from here on, within what its work may use as a whole."""
    _, whole_s = resource.getrlimit(resource.RLIMIT_CPU)
    soon_s = int(time.process_time() + more_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (min(soon_s, whole_s - 1), whole_s))


def _started(work: Work) -> tuple[int, _Child]:
    reads, writes = os.pipe()
    room = tempfile.mkdtemp(prefix="mutant-")
    Path(room).chmod(0o755)  # tests of permissions look into it as somebody else
    pid = os.fork()
    if pid == 0:
        os.close(reads)
        _child(work, writes, room)
    os.close(writes)
    return reads, _Child(work, pid, room, time.monotonic())


def _child(work: Work, pipe: int, room: str) -> None:
    """Do the work in silence, in a room of its own, and never return."""
    os.setpgid(0, 0)
    os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = room
    resource.setrlimit(resource.RLIMIT_CPU, (int(work.cpu_s) + 1, int(work.cpu_s) + 3))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    try:
        os.write(pipe, json.dumps(work.run()).encode())
    except BaseException:  # noqa: BLE001 - a child's last word; the parent reads `died`
        os._exit(3)
    os._exit(0)


def _ended(running: dict[int, _Child], longest_wait_s: float) -> Iterator[Ended]:
    ready, _, _ = select.select(list(running), [], [], min(1.0, longest_wait_s))
    for pipe in ready:
        heard = os.read(pipe, 1 << 16)
        running[pipe].said += heard
        if not heard:
            yield _buried(pipe, running.pop(pipe))
    for pipe, child in list(running.items()):
        if time.monotonic() - child.started > longest_wait_s:
            os.killpg(child.pid, signal.SIGKILL)
            yield _buried(pipe, running.pop(pipe))


def _buried(pipe: int, child: _Child) -> Ended:
    os.close(pipe)
    _, status = os.waitpid(child.pid, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    shutil.rmtree(Path(child.room), ignore_errors=True)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 and child.said:
        return Ended(child.work, json.loads(child.said), "answered")
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return Ended(child.work, None, "cpu")
    was_ended = os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGKILL, signal.SIGTERM}
    return Ended(child.work, None, "stuck" if was_ended else "died")
