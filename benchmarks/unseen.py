"""The forecasts on every ETF and coin, by lessons that neither it nor its family ever taught.

One table, the same figures for all: skill of the odds of a fall of 0.05, of a fall of 0.8 of the
instrument's own volatilities over the horizon (fixed anew at each year's beginning), variance,
ranges and direction. Needs WHEN_TO_INVEST_DATA; without it only the oil price is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.markets import COINS, FUNDS, family, load_snapshots
from benchmarks.odds_skill import Score, brier, fall, qlike, up, wide_range
from benchmarks.row import Figure, Row, within
from home.paths import Home
from when_to_invest.features.daily import daily_bars
from when_to_invest.models.fall_odds import fall_odds
from when_to_invest.models.past import Past
from when_to_invest.models.pooling import learn, prepare
from when_to_invest.models.registry import shipped_origin
from when_to_invest.models.walk_forward import Forecasts, walk_forward

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, Snapshot, TimeArray
    from when_to_invest.models.prior import Prior

HORIZONS: Final = (5, 21)
AIMED: Final = {21: 0.06, 5: 0.13}
"""Mean skill over instruments that were never trained or tuned on."""
OWN_SIGMAS: Final = 0.8
JUDGED: Final = (*FUNDS, "WTI", *COINS)
YEARS: Final = range(1988, 2025)


@dataclass(frozen=True, slots=True)
class Unseen:
    """One instrument's forecasts, and the score of falls in its own volatilities by horizon."""

    forecasts: Forecasts
    own: Mapping[int, Score]


@cache
def unseen() -> dict[str, Unseen]:
    """Return what was forecast for each instrument by lessons without its family."""
    with TemporaryDirectory() as folder:
        snapshots = load_snapshots(Home(Path(folder)))
    lessons = prepare({name: daily_bars(found) for name, found in snapshots.items()}, HORIZONS)
    names = [name for name in JUDGED if name in snapshots]
    priors = {
        each: learn(lessons, years=YEARS, without=[name for name in snapshots if family(name) == each])
        for each in {family(name) for name in names}
    }
    return {name: _unseen(snapshots[name], priors[family(name)]) for name in names}


def _unseen(snapshot: Snapshot, prior: Prior) -> Unseen:
    made = walk_forward(snapshot, horizons=HORIZONS, prior=prior)
    past = Past(daily_bars(snapshot), prior)
    return Unseen(made, {horizon: _own_units(past, made.row, horizon) for horizon in HORIZONS})


def _own_units(past: Past, rows: TimeArray, horizon: int) -> Score:
    """Judge falls of `OWN_SIGMAS` volatilities of all days before each year."""
    columns: list[tuple[FloatArray, ...]] = []
    squares = np.cumsum(past.panel.returns**2)
    for year in np.unique(past.year[rows]):
        these = rows[past.year[rows] == year]
        sigma = float(np.sqrt(squares[these[0]] / these[0] * horizon))
        found = fall_odds(past, these, horizon, (-float(np.expm1(-OWN_SIGMAS * sigma)),))
        columns.append((found.odds[:, 0], found.base[:, 0], found.came[:, 0]))
    joined = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
    return brier(joined[0], joined[1], joined[2], horizon=horizon)


def rows() -> list[Row]:
    """Return the table, each instrument's lines, and the means that are aimed at."""
    found = unseen()
    table = [row for name, each in found.items() for row in _rows_of(name, each)]
    for horizon, least in AIMED.items():
        for group, members in (("funds", FUNDS), ("all", JUDGED)):
            known = [found[name] for name in members if name in found]
            if not known:
                continue
            absolute = float(np.mean([fall(each.forecasts, horizon).skill for each in known]))
            own = float(np.mean([each.own[horizon].skill for each in known]))
            key = f"unseen.{group}.mean_of_{len(known)}"
            table.append(_least(f"{key}.fall_0.05_in_{horizon}d", absolute, least))
            table.append(_least(f"{key}.fall_{OWN_SIGMAS}_sigma_in_{horizon}d", own, least))
    return table


def _rows_of(name: str, found: Unseen) -> Iterator[Row]:
    made = found.forecasts
    for horizon in AIMED:
        yield _least(f"unseen.{name}.fall_0.05_in_{horizon}d", fall(made, horizon).skill, 0.0)
        yield _least(f"unseen.{name}.fall_{OWN_SIGMAS}_sigma_in_{horizon}d", found.own[horizon].skill, 0.0)
    loss, held = qlike(made, 21), wide_range(made, 21)
    yield _least(f"unseen.{name}.variance.gain_over_mean", 1.0 - loss["ours"] / loss["mean"], 0.0)
    yield _least(f"unseen.{name}.variance.gain_over_ewma", 1.0 - loss["ours"] / loss["ewma"], 0.0)
    yield within(f"unseen.{name}.range90.off_by", Figure(abs(held.coverage - 0.9), "ratio"), bound=0.02)
    yield _least(f"unseen.{name}.range90.worst_2y_coverage", held.worst, 0.82)
    yield _least(f"unseen.{name}.range90.pinball_skill", held.pinball, 0.0)
    yield _least(f"unseen.{name}.up_21d.skill", up(made, 21).skill, -0.005)


def notes() -> list[str]:
    """Return what was tried before these models were kept."""
    tried = shipped_origin().variants_tried
    told = (
        f"unseen: {tried} sets of features and settings were compared on years before 2004 and on "
        "instruments left out like these before this one was kept; lessons never come from the judged "
        f"family. {len(unseen())} instruments, each on all its days with enough history."
    )
    return [told]


def _least(name: str, value: float, bound: float) -> Row:
    return within(name, Figure(value, "ratio", is_lower_better=False), bound=bound)
