"""Every promise in one table: forecasts, sizing, deployment, honesty, unseen instruments, speed.

The recorded indices from 2004 to 2018 and the US market from 1930 to 2017 are judged by `evaluate`;
the rest is measured by the benchmark that owns it, in this same run. A promise that could not be
measured is a miss. The unseen table needs WHEN_TO_INVEST_DATA.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Final

from benchmarks import backtest, features, luck, noise, recommend_speed, unseen
from benchmarks.row import Figure, Row, within
from home.paths import Home
from market_data.source import latest_as_of, snapshot
from when_to_invest.evaluation.evaluate import evaluate
from when_to_invest.evaluation.targets import Target, promised

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from when_to_invest.evaluation.report import Evaluation, PeriodScore

PERIODS: Final = {
    "SPX": (date(2004, 1, 1), date(2018, 12, 31)),
    "IXIC": (date(2004, 1, 1), date(2018, 12, 31)),
    "USMKT": (date(1930, 1, 1), date(2017, 12, 31)),
}
OTHERS: Final = (noise, luck, unseen, features, backtest, recommend_speed)
"""Whatever owns the other promises, in the order of a reader."""


@cache
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


def evaluated() -> list[Row]:
    """Measure the promises that `evaluate` reads."""
    return [
        row
        for instrument in PERIODS
        for found in (measured(instrument),)
        for target in promised(instrument)
        for row in _rows_of(instrument, target, target.read(found))
    ]


def rows() -> list[Row]:
    """Measure every promise."""
    return [*evaluated(), *(row for each in OTHERS for row in _rows_or_a_miss(each))]


def _rows_or_a_miss(module: ModuleType) -> list[Row]:
    """Return a benchmark's rows; where its peers cannot run here, one miss that says so."""
    try:
        return list(module.rows())
    except (FileNotFoundError, CalledProcessError):
        name = module.__name__.rpartition(".")[2]
        return [within(f"{name} was not measured: its peers do not run", Figure(float("nan"), ""), bound=0.0)]


def notes() -> list[str]:
    """Return the sub-periods, the lost ones named, and how much was tried."""
    lines = []
    for instrument in PERIODS:
        overlay = measured(instrument).overlay
        lines.append(
            f"{instrument}: the sizing's Sharpe ratio is above the luck of {overlay.trials} trials with "
            f"probability {_shown(overlay.deflated_sharpe)}; by sub-period, ours | holding:"
        )
        lines += [_period(each) for each in overlay.periods]
    return [*lines, *unseen.notes()]


def _period(found: PeriodScore) -> str:
    pairs = (
        ("return", found.return_ratio, found.return_buy_hold_ratio),
        ("Sharpe", found.sharpe, found.sharpe_buy_hold),
        ("deepest fall", found.max_drawdown_ratio, found.max_drawdown_buy_hold_ratio),
    )
    shown = "  ".join(f"{name} {_shown(ours)} | {_shown(theirs)}" for name, ours, theirs in pairs)
    return f"  {found.start[:4]} to {found.end[:4]}  {shown}  {'LOST' if found.is_lost else ''}".rstrip()


def _shown(value: float | None) -> str:
    return "?" if value is None else f"{value:.2f}"
