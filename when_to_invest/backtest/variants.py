"""Variants of a named strategy: which parameters it has, and what each setting would have returned.

Stage: backtest (pure). Rules that machine code knows go through it; the others are asked bar by
bar. Both engines give the same courses. What is returned here is never a reason to pick the best:
`honesty.selection` judges that.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from when_to_invest.backtest.engine import run_events
from when_to_invest.backtest.grid import Configuration
from when_to_invest.backtest.named import BAND, NAMED, TREND_AND_VOLATILITY, VOLATILITY
from when_to_invest.backtest.rules.advice import FollowsAdvice
from when_to_invest.backtest.rules.deployment import ConstantMix, MonthlyParts
from when_to_invest.backtest.rules.trend import TrendRule, TrendStrategy
from when_to_invest.backtest.strategy import Strategy
from when_to_invest.backtest.trial import Trial
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

RULES: Final[dict[str, TrendRule]] = {
    "sma200_band": BAND,
    "vol_target": VOLATILITY,
    "trend_vol": TREND_AND_VOLATILITY,
}
MADE: Final[dict[str, Callable[..., Strategy]]] = {
    "constant_mix": ConstantMix,
    "dca": MonthlyParts,
    "decision": FollowsAdvice,
}
_WHOLE: Final = frozenset({"fast", "slow", "volatility_window", "months", "every"})
_MOST_CELLS: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class Variants:
    """Configurations of one strategy that can be meant; `impossible`: how many could not."""

    strategy: str
    configurations: tuple[Configuration, ...]
    impossible: int = 0

    def part(self, start: int, stop: int) -> Variants:
        """Return some of them."""
        return Variants(self.strategy, self.configurations[start:stop])


def parameters_of(strategy: str) -> tuple[str, ...]:
    """Return the names of the parameters of a strategy that has any.

    Raises:
        Fault: `bad_argument` for a strategy without parameters, or an unknown one.
    """
    if strategy in RULES:
        return tuple(field.name for field in fields(TrendRule))
    if strategy in MADE:
        return tuple(inspect.signature(MADE[strategy]).parameters)
    raise Fault(
        ErrorCode.BAD_ARGUMENT,
        f"no strategy with parameters is called {strategy[:60]!r}",
        fix=f"choose one of {', '.join((*RULES, *MADE))}",
    )


def variants_of(strategy: str, grid: Sequence[Configuration], *, bars: int) -> Variants:
    """Return the configurations that `strategy` can follow over `bars` bars.

    A combination outside the strategy's ranges, such as a fast window above the slow one, is
    left out and counted.

    Raises:
        Fault: `bad_argument` for an unknown strategy or parameter, when nothing is left, or for
            more than 50 million configurations times bars.
    """
    known = parameters_of(strategy)
    unknown = {name for each in grid for name in each.parameters} - set(known)
    if unknown:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{strategy} has no parameter {', '.join(sorted(unknown))}",
            fix=f"its parameters are {', '.join(known)}",
        )
    kept = tuple(each for each in grid if _is_possible(strategy, each))
    if not kept or len(kept) * bars > _MOST_CELLS:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{len(kept)} of {len(grid)} configurations can be followed, over {bars} bars",
            fix=f"give a grid of which 1 can, and at most {_MOST_CELLS:,} configurations times bars",
        )
    return Variants(strategy, kept, len(grid) - len(kept))


def make_variant(strategy: str, configuration: Configuration) -> Strategy:
    """Return a new strategy of one configuration.

    Raises:
        Fault: `bad_argument` for a setting outside its range.
    """
    for name, value in configuration.settings:
        if name in _WHOLE and not isinstance(value, int):
            raise Fault(ErrorCode.BAD_ARGUMENT, f"{name} is {value}", fix="give a whole number")
    if strategy in RULES:
        return TrendStrategy(str(configuration), _rule(strategy, configuration))
    return MADE[strategy](**configuration.parameters)


def excess_returns(variants: Variants, trial: Trial) -> FloatArray:
    """Return what each configuration returned at each bar above cash, as a ratio (k, m).

    Raises:
        Fault: what `run_events` raises.
    """
    import numpy as np

    followed = trial_for(variants.strategy, trial)
    if variants.strategy in RULES:
        return _swept(variants, followed)
    courses = (
        run_events(make_variant(variants.strategy, each), followed) for each in variants.configurations
    )
    return np.stack([course.returns() - course.cash_returns() for course in courses])


def trial_for(strategy: str, trial: Trial) -> Trial:
    """Return the trial as `strategy` trades it: planned steps know no no-trade band."""
    if not NAMED[strategy].plans_steps:
        return trial
    return replace(trial, terms=replace(trial.terms, no_trade_band=0.0))


def _swept(variants: Variants, trial: Trial) -> FloatArray:
    import numpy as np

    from when_to_invest.backtest.vectorised import sweep

    rules = [_rule(variants.strategy, each) for each in variants.configurations]
    equity = sweep(rules, trial, has_paths=True)
    before = np.concatenate((np.zeros((len(rules), 1)), equity[:, :-1]), axis=1)
    before += trial.arrivals[trial.first :]
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.where(before > 0.0, equity / before - 1.0, 0.0)
    excess: FloatArray = returns - (trial.growth[trial.first :] - 1.0)
    return excess


def _rule(strategy: str, configuration: Configuration) -> TrendRule:
    chosen: dict[str, Any] = configuration.parameters
    return replace(RULES[strategy], **chosen)


def _is_possible(strategy: str, configuration: Configuration) -> bool:
    try:
        make_variant(strategy, configuration)
    except Fault:
        return False
    return True
