"""Strategies that go by a name.

Stage: backtest (pure). A table; nothing here trades. Names speak of days: on finer bars windows
are lengthened to as many days, and on months, where there are none, the name is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from when_to_invest.backtest.calendar import bars_per_day
from when_to_invest.backtest.rules.advice import LIFETIME_BARS, FollowsAdvice
from when_to_invest.backtest.rules.deployment import BuyAndHold, ConstantMix, MonthlyParts
from when_to_invest.backtest.rules.months import TenMonthAverage, YearMomentum
from when_to_invest.backtest.rules.trend import TrendRule, TrendStrategy
from when_to_invest.backtest.strategy import Strategy
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument, Interval

BAND: Final = TrendRule(volatility_window=0)
VOLATILITY: Final = TrendRule(slow=0)
TREND_AND_VOLATILITY: Final = TrendRule()
RESEARCHED: Final = 60
"""Rules and deployments that research compared on the recorded indices before these were named."""
SIZINGS: Final = 90
"""Sizings looked at on the same years: those 60, and 30 bands and caps before this one was kept."""


@dataclass(frozen=True, slots=True)
class Named:
    """How to make a strategy anew for each run. `plans_steps`: see `report.run_backtest`.

    `design_trials`: variants that were looked at before this one was kept.
    """

    make: Callable[[], Strategy]
    says: str
    plans_steps: bool = False
    design_trials: int = RESEARCHED


NAMED: Final[dict[str, Named]] = {
    "buy_and_hold": Named(BuyAndHold, "everything at once, never sells", plans_steps=True, design_trials=0),
    "constant_mix": Named(ConstantMix, "six tenths invested, four tenths in cash", design_trials=0),
    "sma200_band": Named(
        partial(TrendStrategy, "sma200_band", BAND), "above the 200-day average, with a band of 0.02"
    ),
    "sma10_months": Named(TenMonthAverage, "above the average of ten month-end closes"),
    "tsmom_12m": Named(YearMomentum, "above the month-end close of a year before"),
    "vol_target": Named(
        partial(TrendStrategy, "vol_target", VOLATILITY), "scaled down to a volatility of 0.15 a year"
    ),
    "trend_vol": Named(
        partial(TrendStrategy, "trend_vol", TREND_AND_VOLATILITY), "sma200_band, scaled like vol_target"
    ),
    "dca": Named(MonthlyParts, "a twelfth of the budget each month", plans_steps=True, design_trials=0),
    "decision": Named(
        FollowsAdvice,
        "follows `recommend`, asked every 3 days with what it holds",
        plans_steps=True,
        design_trials=SIZINGS,
    ),
}


DAILY: Final = {"sma200_band": BAND, "vol_target": VOLATILITY, "trend_vol": TREND_AND_VOLATILITY}
"""Rules whose windows are days."""


def named_strategy(name: str, *, every: int | None = None, instrument: Instrument | None = None) -> Named:
    """Return the strategy called `name`, its windows in days of `instrument` (of daily bars if None).

    `every`: bars between two questions of `decision`.

    Raises:
        Fault: `bad_argument` for an unknown name, for `every` with a strategy that asks nothing,
            or for a rule of days on monthly bars.
    """
    if name not in NAMED:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"no strategy is called {name[:60]!r}; there are {', '.join(NAMED)}",
            fix="choose one of them, or give a strategy of yours as FILE.py:Class",
        )
    if every is not None and name != FollowsAdvice.name:
        raise Fault(ErrorCode.BAD_ARGUMENT, f"{name} does not ask for advice", fix="leave --every out")
    if every is not None:
        return replace(NAMED[name], make=partial(FollowsAdvice, every))
    return NAMED[name] if instrument is None else _fitted(name, instrument)


def _fitted(name: str, instrument: Instrument) -> Named:
    """Return the strategy with its days counted in the instrument's bars."""
    named = NAMED[name]
    if instrument.interval is Interval.MONTH and name in {*DAILY, FollowsAdvice.name}:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{name} counts days, and {instrument.id} has monthly bars",
            fix="choose sma10_months, tsmom_12m or an instrument with daily bars",
        )
    days = math.ceil(bars_per_day(instrument))
    if days == 1:
        return named
    if name == FollowsAdvice.name:
        return replace(named, make=partial(FollowsAdvice, LIFETIME_BARS * days))
    if name not in DAILY:
        return named
    rule = DAILY[name]
    longer = replace(rule, slow=rule.slow * days, volatility_window=rule.volatility_window * days)
    longest = max(rule.slow, rule.volatility_window)
    bars = f"{longest} days are {longest * days} bars of {instrument.interval}"
    note = f"{name} counts days, {days} bars each here: its {bars}."
    return replace(named, make=partial(TrendStrategy, name, longer, note))
