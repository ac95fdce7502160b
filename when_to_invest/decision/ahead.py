"""Looks ahead from the newest day: futures that agree with the odds, and the regime.

Stage: decision (pure), part of the assessment: computes, decides nothing. Compiled models are
imported where they are used, because their start-up would be felt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from when_to_invest.models.direction import Direction
from when_to_invest.models.fall_odds import HorizonOdds
from when_to_invest.models.past import Past
from when_to_invest.models.volatility import forecast_variance

if TYPE_CHECKING:
    from when_to_invest.models.futures import Futures
    from when_to_invest.models.regimes import RegimeReading
    from when_to_invest.models.simulation import WaitingCost


@dataclass(frozen=True, slots=True)
class Wait:
    """What waiting some days is expected to cost, and the odds that the price is lower then."""

    days: int
    cost: WaitingCost
    lower_odds: float


@dataclass(frozen=True, slots=True)
class Passage:
    """Odds of a fall (a ratio) within `within_days`, and by which day each share of futures fell."""

    fall: float
    within_days: int
    odds: float
    days: tuple[tuple[float, int | None], ...]


@dataclass(frozen=True, slots=True)
class Ahead:
    """What futures that agree with the odds tell, and the regime of the newest day.

    `effective`, `gap`: see `reweighting.Reweighting`.
    """

    waits: tuple[Wait, ...]
    passages: tuple[Passage, ...]
    regime: RegimeReading
    effective: float
    gap: float


def look_ahead(
    past: Past, *, up: Direction, up_days: int, drops: tuple[HorizonOdds, ...], seed: int
) -> Ahead | None:
    """Return what lies ahead of the newest day; None before the first dated dynamics.

    Args:
        past: the instrument's days.
        up: odds of a close above the present one after `up_days`.
        up_days: days, 1 to 126.
        drops: odds of falls, coherent, horizons ascending.
        seed: of the simulated futures.
    """
    import numpy as np

    from when_to_invest.models.dynamics import own_regimes, shipped_dynamics
    from when_to_invest.models.futures import Promised, simulate_futures
    from when_to_invest.models.regimes import read_regime

    bars = past.bars
    table = shipped_dynamics().table(int(past.year[-1]), bars.days_per_year)
    if table is None:
        return None
    newest = np.array([len(bars) - 1])
    found = simulate_futures(
        bars.close,
        table,
        variance={
            each.horizon: float(forecast_variance(past, newest, each.horizon).variance[0]) for each in drops
        },
        promised=Promised(drops, up.value, up_days, up.value - up.baseline),
        seed=seed,
    )
    returns = bars.close[1:] / bars.close[:-1] - 1.0
    return _told(found, read_regime(returns, own_regimes(returns, table)))


def _told(found: Futures, regime: RegimeReading) -> Ahead:
    from when_to_invest.models.futures import FALLS, SHARES, WAITS

    within = len(found.paths.prices)
    return Ahead(
        waits=tuple(Wait(each, found.waiting_cost(each), found.lower_odds(each)) for each in WAITS),
        passages=tuple(
            Passage(
                fall=each,
                within_days=within,
                odds=found.fall_odds(each, within),
                days=tuple(zip(SHARES, found.passage_days(each), strict=True)),
            )
            for each in FALLS
        ),
        regime=regime,
        effective=found.fit.effective,
        gap=found.fit.gap,
    )
