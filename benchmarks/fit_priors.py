"""Learn the pooled lessons that ship with the package, and write them with their origin.

Reads the recorded indices and, below the folder that WHEN_TO_INVEST_DATA names, daily and
hourly bar files; writes `when_to_invest/models/priors/pooled.json`. The same files give the
same lessons.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.markets import VARIABLE, data_hashes, files_at_hand, load_markets
from home.paths import Home
from when_to_invest.models.pooling import learn, prepare
from when_to_invest.models.prior import to_document

YEARS = (*range(1935, 1990, 5), *range(1990, 2026))
"""Every fifth year while a single index is all there is."""
TARGET = Path("when_to_invest/models/priors/pooled.json")


def main() -> int:
    """Learn, write, and say how much was learnt from."""
    if not files_at_hand():
        sys.stderr.write(f"the lessons that ship come from many instruments: set {VARIABLE}\n")
        return 2
    with TemporaryDirectory() as folder:
        markets = load_markets(Home(Path(folder)))
    prior = learn(prepare(markets), years=YEARS)
    document = {
        "made_by": "benchmarks/fit_priors.py",
        "variants_tried": 100,
        "data": data_hashes(markets),
        **to_document(prior),
    }
    TARGET.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    days = sum(len(bars) for bars in markets.values())
    sys.stdout.write(f"{len(markets)} instruments, {days} days, lessons of {len(prior.lessons)} years\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
