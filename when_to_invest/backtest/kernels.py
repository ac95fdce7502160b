"""Machine code for backtests: passes over the bars that allocate nothing on the way.

Stage: backtest (pure). The rules are those of `backtest.account` and `backtest.rules.trend`,
which say what they mean; these say it fast, operation by operation in the same order, so that
both give the same floats. Never imported where numba's start-up would be felt.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from when_to_invest.compiled import compiled, woven

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

RESYNC = 4096
"""Running sums are added up anew every so many bars, against drift."""
UNSET = -1.0


# Numba takes named tuples, not dataclasses.
class Market(NamedTuple):
    """Columns of equal length n, float64; trading begins at bar `first`.

    `fill`: price at which an order decided at the bar before is filled. `squares`: squared
    return of each bar, 0 for the first. `has_interest`: whether growth differs from 1 anywhere;
    `last_arrival`: bar at which the last cash arrives. Both spare what they make superfluous.
    """

    close: FloatArray
    squares: FloatArray
    fill: FloatArray
    growth: FloatArray
    arrivals: FloatArray
    first: int
    has_interest: bool
    last_arrival: int


class Costs(NamedTuple):
    """Ratios; see `terms.Terms`."""

    fee: float
    slippage: float
    band: float


class Rule(NamedTuple):
    """Parameters of `rules.trend.TrendRule`; `slow` 0 is always up, `volatility_window` 0 never scales.

    `target_variance`: square of the target volatility of one bar.
    """

    fast: int
    slow: int
    band: float
    volatility_window: int
    target_variance: float


class Holding(NamedTuple):
    """Cash, units, and running totals of fees, turnover and fills."""

    cash: float
    units: float
    fees: float
    turnover: float
    fills: float


@woven
def _rebalanced(held: Holding, target: float, price: float, costs: Costs) -> Holding:
    equity = held.cash + held.units * price
    is_exit = target == 0.0 and held.units > 0.0
    is_near = abs(target * equity - held.units * price) <= costs.band * equity
    if equity <= 0.0 or (is_near and not is_exit):
        return held
    wanted = target * equity / price - held.units
    if wanted > 0.0:
        paid = price * (1.0 + costs.slippage)
        affordable = held.cash / (paid * (1.0 + costs.fee))
        units = min(wanted, affordable)
        value = units * paid
        cash = held.cash - (value + value * costs.fee) if wanted < affordable else 0.0
    else:
        paid = price * (1.0 - costs.slippage)
        sold = held.units if is_exit else min(-wanted, held.units)
        units = -sold
        value = sold * paid
        cash = held.cash + (value - value * costs.fee)
    if units == 0.0:
        return held
    return Holding(
        cash,
        held.units + units,
        held.fees + value * costs.fee,
        held.turnover + value / equity,
        held.fills + 1.0,
    )


@compiled
def _sum_until(values: FloatArray, index: int, window: int) -> float:
    total = 0.0
    for row in range(max(0, index + 1 - window), index + 1):
        total += values[row]
    return total


@woven
def _side(rule: Rule, fast_sum: float, slow_sum: float, before: float) -> float:
    """Return which side of the band around the slow average the fast one last left it: 1 or 0."""
    level = slow_sum * (rule.fast / rule.slow)
    if fast_sum > level * (1.0 + rule.band):
        return 1.0
    if fast_sum < level * (1.0 - rule.band):
        return 0.0
    if before == UNSET:
        return 1.0 if fast_sum > level else 0.0
    return before


@woven
def _scaled(side: float, rule: Rule, square_sum: float) -> float:
    """Return the weight to hold from the next bar on: the side, scaled to the target variance."""
    aim = rule.target_variance * rule.volatility_window
    return side * math.sqrt(aim / square_sum) if square_sum > aim else side


@compiled
def rule_targets(market: Market, rule: Rule, targets: FloatArray) -> None:
    """Write the target decided at each close into `targets` (n,), NaN for no order."""
    close, squares = market.close, market.squares
    fast, slow, window = rule.fast, rule.slow, rule.volatility_window
    fast_sum, slow_sum, square_sum = 0.0, 0.0, 0.0
    side = UNSET if slow else 1.0
    for index in range(len(close)):
        newest = close[index]
        fast_sum += newest - (close[index - fast] if index >= fast else 0.0)
        slow_sum += newest - (close[index - slow] if index >= slow else 0.0)
        square_sum += squares[index] - (squares[index - window] if index >= window else 0.0)
        if index % RESYNC == 0:
            fast_sum = _sum_until(close, index, fast)
            slow_sum = _sum_until(close, index, slow)
            square_sum = _sum_until(squares, index, window)
        if slow and index + 1 >= slow:
            side = _side(rule, fast_sum, slow_sum, side)
        is_known = side != UNSET and index >= window
        targets[index] = _scaled(side, rule, square_sum) if is_known else math.nan


@compiled
def follow_targets(market: Market, targets: FloatArray, costs: Costs, path: FloatArray) -> Holding:
    """Fill `targets[i]`, decided at close i, at bar i + 1; write equity and units into `path` (2, n)."""
    close, fill, growth, arrivals = market.close, market.fill, market.growth, market.arrivals
    has_interest, last_arrival = market.has_interest, market.last_arrival
    held = Holding(0.0, 0.0, 0.0, 0.0, 0.0)
    for index in range(market.first, len(close)):
        cash = held.cash * growth[index] if has_interest else held.cash
        cash += arrivals[index] if index <= last_arrival else 0.0
        held = Holding(cash, held.units, held.fees, held.turnover, held.fills)
        if index > 0 and not math.isnan(targets[index - 1]):
            held = _rebalanced(held, targets[index - 1], fill[index], costs)
        path[0, index] = held.cash + held.units * close[index]
        path[1, index] = held.units
    return held


@compiled
def follow_rule(market: Market, rule: Rule, costs: Costs, path: FloatArray) -> Holding:
    """Do what `rule_targets` and then `follow_targets` do, in one pass over the bars."""
    close, squares, fill = market.close, market.squares, market.fill
    growth, arrivals, first = market.growth, market.arrivals, market.first
    has_interest, last_arrival = market.has_interest, market.last_arrival
    fast, slow, window = rule.fast, rule.slow, rule.volatility_window
    fast_sum, slow_sum, square_sum = 0.0, 0.0, 0.0
    side, target = UNSET if slow else 1.0, math.nan
    held = Holding(0.0, 0.0, 0.0, 0.0, 0.0)
    for index in range(len(close)):
        newest = close[index]
        if index >= first:
            cash = held.cash * growth[index] if has_interest else held.cash
            cash += arrivals[index] if index <= last_arrival else 0.0
            held = Holding(cash, held.units, held.fees, held.turnover, held.fills)
            if not math.isnan(target):
                held = _rebalanced(held, target, fill[index], costs)
            path[0, index] = held.cash + held.units * newest
            path[1, index] = held.units
        fast_sum += newest - (close[index - fast] if index >= fast else 0.0)
        slow_sum += newest - (close[index - slow] if index >= slow else 0.0)
        square_sum += squares[index] - (squares[index - window] if index >= window else 0.0)
        if index % RESYNC == 0:
            fast_sum = _sum_until(close, index, fast)
            slow_sum = _sum_until(close, index, slow)
            square_sum = _sum_until(squares, index, window)
        if slow and index + 1 >= slow:
            side = _side(rule, fast_sum, slow_sum, side)
        is_known = side != UNSET and index >= window
        target = _scaled(side, rule, square_sum) if is_known else math.nan
    return held


@compiled
def follow_rules(market: Market, rules: FloatArray, costs: Costs, paths: FloatArray) -> None:
    """Run each row of `rules` (k, 5); write equity into `paths` (k, n), or only the last into (k, 1)."""
    count = len(market.close)
    path = np.empty((2, count))
    for row in range(len(rules)):
        rule = Rule(int(rules[row, 0]), int(rules[row, 1]), rules[row, 2], int(rules[row, 3]), rules[row, 4])
        follow_rule(market, rule, costs, path)
        width = paths.shape[1]
        paths[row, :] = path[0, count - width :]
