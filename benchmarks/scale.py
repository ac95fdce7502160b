"""What more workers are worth: the same training and the same sweep here, in two processes, on Dask.

The three run one after another on the same machine, and must give the same bytes. Two processes
on two idle cores can at best halve the time; starting them is counted, starting the cluster is
not (a cluster is there before its users).
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np

from benchmarks.backtest import random_walk
from benchmarks.row import Figure, Row, against, within
from compute.contests import run_contest
from compute.runner import Place, Runner
from compute.sweeps import Sweep, sweep_returns
from when_to_invest.backtest.grid import configurations, parse_axis
from when_to_invest.backtest.trial import make_trial
from when_to_invest.backtest.variants import variants_of
from when_to_invest.instruments import Interval
from when_to_invest.market import Snapshot
from when_to_invest.models.unseen import Family, Question

WORKERS: Final = 2
SERIES: Final = 12
DAYS: Final = 2_500
SWEEP_BARS: Final = 80_000
"""Enough work that starting the processes, some three seconds, is the smaller part."""
WORTH: Final = 1.0
"""Two workers are never to be slower than none, start included; what they gain is the machine's."""
Work = Callable[[Runner], bytes]


def days(seed: int) -> Snapshot:
    """Return days of a random walk with calm and wild spells."""
    walk = random_walk(DAYS, seed=seed)
    opened_us = np.arange(DAYS, dtype=np.int64) * 86_400_000_000
    known = walk.instrument.model_copy(update={"interval": Interval.DAY, "id": f"WALK{seed}"})
    return Snapshot(known, walk.as_of, replace(walk.bars, opened_us=opened_us))


def training(runner: Runner) -> bytes:
    """Train and judge incumbent and challengers year by year, each series left out once."""
    snapshots = {f"WALK{seed}": days(seed) for seed in range(SERIES)}
    families = [Family((name,), (name,)) for name in snapshots]
    found = run_contest(snapshots, families, question=Question(5, 0.003), runner=runner)
    return b"".join(each.canonical() for each in (*found.each, found.together))


def sweeping(runner: Runner) -> bytes:
    """Follow forty mixes bar by bar."""
    trial = make_trial(random_walk(SWEEP_BARS))
    grid = configurations([parse_axis("weight=0.025:1:0.025")])
    variants = variants_of("constant_mix", grid, bars=len(trial))
    return sweep_returns(Sweep(variants, trial, runner)).tobytes()


@contextmanager
def cluster() -> Iterator[Runner]:
    """Yield a runner on a Dask cluster of separate worker processes on this machine."""
    from distributed import LocalCluster

    with LocalCluster(  # type: ignore[no-untyped-call] # untyped library
        n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as made:
        yield Runner(Place.DASK, scheduler=made.scheduler_address)


def timed(work: Work, runner: Runner) -> tuple[float, str]:
    """Return the seconds that the work took, and the SHA-256 of what it gave."""
    started = time.perf_counter()
    given = work(runner)
    return time.perf_counter() - started, hashlib.sha256(given).hexdigest()


def rows() -> list[Row]:
    """Measure both kinds of work in all three places."""
    found = []
    with cluster() as on_dask:
        places = {"joblib": Runner(Place.PROCESSES, processes=WORKERS), "dask": on_dask}
        for name, work in (("training", training), ("sweep", sweeping)):
            timed(work, on_dask)  # imports and machine code, on every worker and here
            serial_s, serial = timed(work, Runner())
            for place, runner in places.items():
                seconds, given = timed(work, runner)
                found.append(_row(name, place, seconds, serial_s))
                apart = Figure(float(given != serial), "bool")
                found.append(within(f"scale.{name}.{place}.bytes_differ", apart, bound=0.0))
    return found


def _row(name: str, place: str, seconds: float, serial_s: float) -> Row:
    return against(
        f"scale.{name}.{place}-{WORKERS}",
        Figure(seconds, "s"),
        peer="serial",
        peer_value=serial_s,
        least_ratio=WORTH,
    )


def notes() -> list[str]:
    """Return how busy the machine was: ratios on a busy one say little."""
    load = os.getloadavg()[0]
    return [f"scale: {os.cpu_count()} cores, load of the last minute {load:.1f} (our own {WORKERS} included)"]
