"""How long a person waits for a recommendation: in a fresh process, and in a running server."""

from __future__ import annotations

import subprocess
import sys
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
        within("speed.snapshot.warm", Figure(cut, "s"), bound=0.02),
    ]
