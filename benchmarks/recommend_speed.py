"""How long a person waits for a recommendation: in a fresh process, and in a running server."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.row import Figure, Row, median_s, within

_COLD: Final = (
    "from pathlib import Path; from home.paths import Home;"
    "from market_data.source import parse_as_of, snapshot;"
    "from when_to_invest.decision.recommend import recommend;"
    "recommend(snapshot(Home(Path('unused')), 'SPX', as_of=parse_as_of('2018-12-24')))"
)


def rows() -> list[Row]:
    """Return the durations of a first and of a later recommendation, and of a snapshot."""
    from home.paths import Home
    from market_data.source import parse_as_of, snapshot
    from when_to_invest.decision.recommend import recommend

    as_of = parse_as_of("2018-12-24")
    found = snapshot(Home(Path("unused")), "SPX", as_of=as_of)
    cold = median_s(lambda: subprocess.run([sys.executable, "-c", _COLD], check=True), repeats=3)
    warm = median_s(lambda: recommend(found), repeats=15)
    cut = median_s(lambda: snapshot(Home(Path("unused")), "SPX", as_of=as_of).hash, repeats=15)
    return [
        within("speed.recommend.fresh_process", Figure(cold, "s"), bound=3.0),
        within("speed.recommend.warm", Figure(warm, "s"), bound=0.15),
        within("speed.recommend.p99", Figure(_p99_s(), "s"), bound=0.025),
        within("speed.snapshot.warm", Figure(cut, "s"), bound=0.02),
    ]


def _p99_s() -> float:
    """Return the 99th of 100 durations of warm recommendations, over many days.

    Each day is asked three times and counts with its least CPU time: neighbours are kept out.
    """
    import numpy as np

    from home.paths import Home
    from market_data.source import parse_as_of, snapshot
    from when_to_invest.decision.recommend import recommend

    days = np.arange("2010-01-04", "2018-12-24", 33, dtype="datetime64[D]").astype(str).tolist()
    found = [snapshot(Home(Path("unused")), "SPX", as_of=parse_as_of(day)) for day in days]
    durations = []
    for each in (found[0], *found):
        tries = []
        for _ in range(3):
            started = time.process_time()
            recommend(each)
            tries.append(time.process_time() - started)
        durations.append(min(tries))
    return float(np.quantile(durations[1:], 0.99))
