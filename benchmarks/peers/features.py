"""Run river's running statistics bar by bar; print the median duration of a bar.

Stands alone: it runs in the peers' environment and imports nothing of ours. Argument: a `.npz`
file with open, high, low, close, volume.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import numpy as np
from river import stats, utils


def statistics_of() -> list[tuple[int, Any]]:
    """Return the 22 of our features that river has, each with the column it is fed."""
    close, change, high, low, volume = range(5)
    rolled = [(close, stats.Mean(), window) for window in (10, 20, 50, 200)]
    rolled += [(change, stats.Var(), window) for window in (10, 21, 63)]
    rolled += [(close, stats.Var(), 20), (volume, stats.Mean(), 20)]
    found = [(column, utils.Rolling(stat, window)) for column, stat, window in rolled]
    found += [(close, stats.EWMean(2 / (span + 1))) for span in (9, 12, 26, 50, 200)]
    found += [(change, stats.EWVar(0.06)), (change, stats.EWMean(1 / 14))]
    found += [(high, stats.RollingMax(14)), (high, stats.RollingMax(20)), (close, stats.RollingMax(252))]
    found += [(low, stats.RollingMin(14)), (low, stats.RollingMin(20)), (close, stats.Shift(21))]
    return found


def main(path: str) -> None:
    """Feed every bar to every statistic and print one line of JSON, microseconds a bar."""
    given = np.load(path)
    close = given["close"]
    change = np.concatenate(([0.0], close[1:] / close[:-1] - 1.0))
    columns = (close, change, given["high"], given["low"], given["volume"])
    bars = list(zip(*(column.tolist() for column in columns), strict=True))
    known = statistics_of()
    durations = []
    for bar in bars:
        started = time.perf_counter_ns()
        for column, stat in known:
            stat.update(bar[column])
            stat.get()
        durations.append(time.perf_counter_ns() - started)
    print(json.dumps({"p50_us": [statistics.median(durations) / 1e3], "count": [len(known)]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
