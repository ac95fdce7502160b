"""The event-true engine: bar by bar, a strategy sees what had closed, and fills come one bar later.

Stage: backtest (pure). Order of events at bar i: cash earns and arrives; the order decided at
the close of i - 1 is filled at the open of i (close-only: at the close of i); the bar closes;
the strategy is asked.

# INVARIANT: no decision is filled at a price of a bar it was decided on.
"""

from __future__ import annotations

import math

from when_to_invest.backtest.account import Account, Trade
from when_to_invest.backtest.course import Course
from when_to_invest.backtest.strategy import Strategy
from when_to_invest.backtest.trial import Trial
from when_to_invest.backtest.view import MarketView
from when_to_invest.errors import ErrorCode, Fault


def run_events(strategy: Strategy, trial: Trial) -> Course:
    """Run `strategy` over the trial; it is first asked at the close before `trial.first`.

    Raises:
        Fault: `bad_argument` when it returns anything but None or a number from 0 to 1, and
            whatever it raises.
    """
    import numpy as np

    bars, first, count = trial.snapshot.bars, trial.first, len(trial)
    view = MarketView(trial.snapshot.instrument, count)
    account = Account(trial.terms)
    fill, close = trial.fill.tolist(), bars.close.tolist()
    equity, units, trades = np.empty(count - first), np.empty(count - first), []
    target: float | None = None
    for index in range(count):
        if index >= first:
            account.accrue(growth=float(trial.growth[index]), arrival=float(trial.arrivals[index]))
            trades.append(_filled(account, target, price=fill[index], bar=index))
            equity[index - first] = account.equity(close[index])
            units[index - first] = account.units
        view.admit(bars, index)
        if index >= first - 1:
            _show(account, view, price=close[index])
            target = _answer(strategy, view)
    return Course(
        opened_us=bars.opened_us[first:],
        close=bars.close[first:],
        equity=equity,
        units=units,
        arrivals=trial.arrivals[first:],
        growth=trial.growth[first:],
        fees=account.fees,
        turnover=account.turnover,
        fills=sum(trade is not None for trade in trades),
        trades=tuple(trade for trade in trades if trade is not None),
    )


def _filled(account: Account, target: float | None, *, price: float, bar: int) -> Trade | None:
    return None if target is None else account.rebalance(target, price=price, bar=bar)


def _show(account: Account, view: MarketView, *, price: float) -> None:
    view.weight = account.weight(price)
    view.equity = account.equity(price)
    view.cash = account.cash


def _answer(strategy: Strategy, view: MarketView) -> float | None:
    """Ask the strategy and accept only an order that can be meant."""
    target = strategy.decide(view)
    if target is None:
        return None
    try:
        weight = float(target)
    except (TypeError, ValueError):
        weight = math.nan
    if not 0.0 <= weight <= 1.0:
        place = f"bar {len(view) - 1} ({view.now:%Y-%m-%d})"
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"strategy {strategy.name} returned {str(target)[:40]!r} at {place}",
            fix="return a share of equity from 0 to 1, or None to leave things as they are",
        )
    return weight
