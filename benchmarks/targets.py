"""Every promise about forecasts, sizing and deployment, measured by `evaluate` in one run.

The recorded indices from 2004 to 2018 and the US market from 1930 to 2017. A promise that could
not be measured is a miss. Reads recorded bars only.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.row import Figure, Row, within
from home.paths import Home
from market_data.source import latest_as_of, snapshot
from when_to_invest.evaluation.evaluate import evaluate
from when_to_invest.evaluation.targets import Target, promised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from when_to_invest.evaluation.report import Evaluation

PERIODS: Final = {
    "SPX": (date(2004, 1, 1), date(2018, 12, 31)),
    "IXIC": (date(2004, 1, 1), date(2018, 12, 31)),
    "USMKT": (date(1930, 1, 1), date(2017, 12, 31)),
}


def measured(instrument: str) -> Evaluation:
    """Return the evaluation of a recorded instrument over its period."""
    home = Home(Path("unused"))
    start, end = PERIODS[instrument]
    seen = snapshot(home, instrument, as_of=latest_as_of(home, instrument))
    return evaluate(seen, start=start, end=end).evaluation


def _rows_of(instrument: str, target: Target, value: float | None) -> Iterator[Row]:
    """Yield one row a bound of the promise."""
    name = f"target.{instrument}.{target.name}"
    unit = "pp" if "_pp" in name or "deployment" in name else "ratio"
    for bound, side, is_lower_better in ((target.least, "least", False), (target.most, "most", True)):
        if bound is None:
            continue
        full_name = f"{name}.{side}" if target.least is not None and target.most is not None else name
        figure = Figure(float("nan") if value is None else value, unit, is_lower_better=is_lower_better)
        yield within(full_name, figure, bound=bound)


def rows() -> list[Row]:
    """Measure every promise."""
    return [
        row
        for instrument in PERIODS
        for found in (measured(instrument),)
        for target in promised(instrument)
        for row in _rows_of(instrument, target, target.read(found))
    ]
