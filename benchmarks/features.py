"""How long the features of one bar take, live and in a batch, beside river's running statistics.

river is asked for the 22 of our 37 features that it has, and spared the rest.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.backtest import fastest, random_walk
from benchmarks.peers.environment import run_peer
from benchmarks.row import Figure, Row, against, within
from when_to_invest.features.stream import FeatureStream, batch_features

if TYPE_CHECKING:
    from when_to_invest.market import BarSeries

BARS: Final = 100_000
PEER_BARS: Final = 10_000


def pushes(bars: BarSeries) -> tuple[list[int], bool]:
    """Return the nanoseconds of each push, and whether every feature equals the batch's bit for bit."""
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    batch, stream, durations, is_equal = batch_features(bars), FeatureStream(), [], True
    for index, row in enumerate(rows):
        started = time.perf_counter_ns()
        found = stream.push(*row)
        durations.append(time.perf_counter_ns() - started)
        is_equal = is_equal and np.array_equal(found, batch[index], equal_nan=True)
    return durations, is_equal


def rows() -> list[Row]:
    """Measure pushes and batch, and river on the same bars."""
    bars = random_walk(BARS).bars
    durations, is_equal = pushes(bars)
    median, tail = statistics.median(durations) / 1e3, float(np.quantile(durations, 0.99)) / 1e3
    few = bars.between(0, PEER_BARS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.npz"
        np.savez(path, high=few.high, low=few.low, close=few.close, volume=few.volume)
        river = run_peer("features", str(path))
    ours, theirs = Figure(median, "us"), river["p50_us"][0]
    batch = fastest(lambda: batch_features(bars)) / BARS * 1e6
    return [
        within("features of a bar, median", ours, bound=5.0),
        within("features of a bar, 99th of 100", Figure(tail, "us"), bound=10.0),
        against("features of a bar", ours, peer="river", peer_value=theirs, least_ratio=10),
        within("features of a bar in a batch", Figure(batch, "us"), bound=1.5),
        within("features stream unlike batch", Figure(0.0 if is_equal else 1.0, "bool"), bound=0.0),
    ]
