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
    from when_to_invest.backtest.kernels import Costs, Market
    from when_to_invest.market import FloatArray


def run_targets(targets: FloatArray, trial: Trial) -> Course:
    """Follow `targets` (n,): the weight decided at each close, in [0, 1], NaN for no order.

    Raises:
        Fault: `bad_argument` for another shape or a weight outside [0, 1].
    """
    import numpy as np

    from when_to_invest.backtest.kernels import follow_targets

    is_order = ~np.isnan(targets)
    orders = targets[is_order]
    if targets.shape != (len(trial),) or bool(((orders < 0.0) | (orders > 1.0)).any()):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"targets of shape {targets.shape} cannot be followed over {len(trial)} bars",
            fix="give one weight from 0 to 1, or NaN, for each bar",
        )
    path = np.empty((2, len(trial)))
    held = follow_targets(_market(trial), targets.astype(np.float64), _costs(trial), path)
    return Course(
        opened_us=trial.snapshot.bars.opened_us[trial.first :],
        equity=path[0, trial.first :],
        exposure=path[1, trial.first :],
        arrivals=trial.arrivals[trial.first :],
        growth=trial.growth[trial.first :],
        fees=held.fees,
        turnover=held.turnover,
        fills=int(held.fills),
    )


def targets_of(rule: TrendRule, trial: Trial) -> FloatArray:
    """Return the weight that `rule` decides at each close (n,), NaN while its windows are not full."""
    import numpy as np

    from when_to_invest.backtest.kernels import Rule, rule_targets

    targets = np.empty(len(trial))
    fast, slow, band, window, variance = _as_row(rule, trial)
    rule_targets(_market(trial), Rule(int(fast), int(slow), band, int(window), variance), targets)
    return targets


def run_rule(rule: TrendRule, trial: Trial) -> Course:
    """Follow a trend rule."""
    return run_targets(targets_of(rule, trial), trial)


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


def _as_row(rule: TrendRule, trial: Trial) -> tuple[float, float, float, float, float]:
    variance = rule.target_variance(bars_per_year(trial.snapshot.instrument))
    return float(rule.fast), float(rule.slow), rule.band_ratio, float(rule.volatility_window), variance


def _market(trial: Trial) -> Market:
    import numpy as np

    from when_to_invest.backtest.kernels import Market

    close = np.array(trial.snapshot.bars.close, dtype=np.float64)
    changes = np.zeros(len(close))
    changes[1:] = close[1:] / close[:-1] - 1.0
    # Copies are contiguous and writable, so that one compiled version fits all callers.
    return Market(
        close=close,
        squares=changes * changes,
        fill=np.array(trial.fill, dtype=np.float64),
        growth=np.array(trial.growth),
        arrivals=np.array(trial.arrivals),
        first=trial.first,
    )


def _costs(trial: Trial) -> Costs:
    from when_to_invest.backtest.kernels import Costs

    terms = trial.terms
    return Costs(fee=terms.fee_ratio, slippage=terms.slippage_ratio, band=terms.no_trade_band)
