"""Strategies that go by a name.

Stage: backtest (pure). A table; nothing here trades.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from when_to_invest.backtest.rules.advice import FollowsAdvice
from when_to_invest.backtest.rules.deployment import BuyAndHold, ConstantMix, MonthlyParts
from when_to_invest.backtest.rules.months import TenMonthAverage, YearMomentum
from when_to_invest.backtest.rules.trend import TrendRule, TrendStrategy
from when_to_invest.backtest.strategy import Strategy
from when_to_invest.errors import ErrorCode, Fault

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
        partial(TrendStrategy, "sma200_band", BAND), "above the 200-bar average, with a band of 0.02"
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
        "follows `recommend`, asked every 3 bars with what it holds",
        plans_steps=True,
        design_trials=SIZINGS,
    ),
}


def named_strategy(name: str, *, every: int | None = None) -> Named:
    """Return the strategy called `name`; `every`: bars between two questions of `decision`.

    Raises:
        Fault: `bad_argument` for an unknown name, or for `every` with a strategy that asks nothing.
    """
    if name not in NAMED:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"no strategy is called {name[:60]!r}; there are {', '.join(NAMED)}",
            fix="choose one of them, or give a strategy of yours as FILE.py:Class",
        )
    if every is None:
        return NAMED[name]
    if name != FollowsAdvice.name:
        raise Fault(ErrorCode.BAD_ARGUMENT, f"{name} does not ask for advice", fix="leave --every out")
    return replace(NAMED[name], make=partial(FollowsAdvice, every))
