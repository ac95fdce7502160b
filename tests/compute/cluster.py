"""A Dask cluster of separate processes on this machine, which ends with its user."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from compute.code import code_fingerprint

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
FORGIVEN = 1
"""So many workers may die under a task before the scheduler gives it up."""


@dataclass(frozen=True)
class Cluster:
    """The scheduler's address, its process, and the worker processes."""

    address: str
    scheduler: subprocess.Popen[str]
    workers: tuple[subprocess.Popen[str], ...]


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            f"distributed.cli.{program}",
            *arguments,
            "--host",
            LOOPBACK,
            "--no-dashboard",
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(FORGIVEN)},
    )


def ready(process: subprocess.Popen[str], *, says: str) -> str:
    """Return the line in which a program says that it is ready."""
    assert process.stderr is not None
    for line in process.stderr:
        if says in line:
            return line
    raise AssertionError(f"{process.args} ended with {process.wait()}")


def end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


@contextmanager
def local_cluster(*, workers: int) -> Iterator[Cluster]:
    # What these workers will run is what stands on disk now.
    code_fingerprint.cache_clear()
    with ExitStack() as ending:
        scheduler = start("dask_scheduler", "--port", "0", "--idle-timeout", "300 s")
        ending.callback(end, scheduler)
        address = ready(scheduler, says="Scheduler at:").split()[-1]
        running = [
            start("dask_worker", address, "--nthreads", "1", "--no-nanny", "--death-timeout", "30")
            for _ in range(workers)
        ]
        for worker in running:
            ending.callback(end, worker)
        for worker in running:
            ready(worker, says="Registered to:")
        yield Cluster(address, scheduler, tuple(running))
