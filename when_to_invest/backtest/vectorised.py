"""The vectorised engine: the same courses as the event engine, a thousand times faster.

Stage: backtest (pure). For rules that can be written as parameters, and for targets that were
decided beforehand. Given targets that look ahead it will follow them: strategies of unknown
origin belong into the event engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from when_to_invest.backtest.calendar import bars_per_year
from when_to_invest.backtest.course import Course
from when_to_invest.backtest.rules.trend import TrendRule
from when_to_invest.backtest.trial import Trial
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.backtest.kernels import Costs, Holding, Market, Rule
    from when_to_invest.market import FloatArray


def run_targets(targets: FloatArray, trial: Trial) -> Course:
    """Follow `targets` (n,): the weight decided at each close, in [0, 1], NaN for no order.

    Raises:
        Fault: `bad_argument` for another shape or a weight outside [0, 1].
    """
    import numpy as np

    from when_to_invest.backtest.kernels import follow_targets

    is_shaped = targets.shape == (len(trial),)
    # NaN, which is no order, passes neither comparison.
    if not is_shaped or bool(((targets < 0.0) | (targets > 1.0)).any()):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"targets of shape {targets.shape} cannot be followed over {len(trial)} bars",
            fix="give one weight from 0 to 1, or NaN, for each bar",
        )
    path = np.empty((2, len(trial)))
    held = follow_targets(_market(trial), np.array(targets, dtype=np.float64), _costs(trial), path)
    return _course(trial, path, held)


def targets_of(rule: TrendRule, trial: Trial) -> FloatArray:
    """Return the weight that `rule` decides at each close (n,), NaN while its windows are not full."""
    import numpy as np

    from when_to_invest.backtest.kernels import rule_targets

    targets = np.empty(len(trial))
    rule_targets(_market(trial), _as_rule(rule, trial), targets)
    return targets


def run_rule(rule: TrendRule, trial: Trial) -> Course:
    """Follow a trend rule, deciding and filling in one pass."""
    import numpy as np

    from when_to_invest.backtest.kernels import follow_rule

    path = np.empty((2, len(trial)))
    held = follow_rule(_market(trial), _as_rule(rule, trial), _costs(trial), path)
    return _course(trial, path, held)


def sweep(rules: Sequence[TrendRule], trial: Trial, *, has_paths: bool = False) -> FloatArray:
    """Run many rules over one trial.

    Returns:
        Final equity (k, 1), or with `has_paths` the equity at every bar of the trial (k, m).
        Whoever picks the best of k must report k: the best of many is luck until shown otherwise.

    Raises:
        Fault: `bad_argument` without rules.
    """
    import numpy as np

    from when_to_invest.backtest.kernels import follow_rules

    if not rules:
        raise Fault(ErrorCode.BAD_ARGUMENT, "there is no rule to sweep over", fix="give one at least")
    rows = np.array([_as_row(rule, trial) for rule in rules])
    paths = np.empty((len(rules), len(trial) - trial.first if has_paths else 1))
    follow_rules(_market(trial), rows, _costs(trial), paths)
    return paths


def _course(trial: Trial, path: FloatArray, held: Holding) -> Course:
    bars, kept = trial.snapshot.bars, slice(trial.first, None)
    return Course(
        opened_us=bars.opened_us[kept],
        close=bars.close[kept],
        equity=path[0, kept],
        units=path[1, kept],
        arrivals=trial.arrivals[kept],
        growth=trial.growth[kept],
        fees=held.fees,
        turnover=held.turnover,
        fills=int(held.fills),
    )


def _as_row(rule: TrendRule, trial: Trial) -> tuple[float, float, float, float, float]:
    variance = rule.target_variance(bars_per_year(trial.snapshot.instrument))
    return float(rule.fast), float(rule.slow), rule.band_ratio, float(rule.volatility_window), variance


def _as_rule(rule: TrendRule, trial: Trial) -> Rule:
    from when_to_invest.backtest.kernels import Rule

    fast, slow, band, window, variance = _as_row(rule, trial)
    return Rule(int(fast), int(slow), band, int(window), variance)


def _market(trial: Trial) -> Market:
    from when_to_invest.backtest.kernels import Market

    return Market(
        close=_plain(trial.snapshot.bars.close),
        squares=_plain(trial.squares),
        fill=_plain(trial.fill),
        growth=_plain(trial.growth),
        arrivals=_plain(trial.arrivals),
        first=trial.first,
        has_interest=trial.terms.cash_rate_annual != 0.0,
        last_arrival=trial.last_arrival,
    )


def _plain(column: FloatArray) -> FloatArray:
    """Return the column contiguous and writable, copied only if it is not: one compiled version fits all."""
    import numpy as np

    return np.require(column, dtype=np.float64, requirements=["C", "W"])


def _costs(trial: Trial) -> Costs:
    from when_to_invest.backtest.kernels import Costs

    terms = trial.terms
    return Costs(fee=terms.fee_ratio, slippage=terms.slippage_ratio, band=terms.no_trade_band)
