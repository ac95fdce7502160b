"""The account of a backtest: cash, units of one instrument, and how an order changes them.

Stage: backtest (pure). Never borrows, never sells what it does not hold. The kernels of
`backtest.kernels` follow the same rules in machine code; tests hold the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from when_to_invest.backtest.terms import Terms


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill. `bar`: index into the bars of the snapshot, filled at its fill price.

    `units` is negative for a sale. `price`: paid or received, slippage included.
    `value`: units times price, unsigned. `fee`: in units of the budget.
    `weight_before`, `weight_after`: share of equity at the fill price without slippage.
    """

    bar: int
    units: float
    price: float
    value: float
    fee: float
    weight_before: float
    weight_after: float


@dataclass(slots=True)
class Account:
    """Cash and units; `turnover` adds up traded value over equity, buys and sells alike."""

    terms: Terms
    cash: float = 0.0
    units: float = 0.0
    fees: float = 0.0
    turnover: float = 0.0

    def accrue(self, *, growth: float, arrival: float) -> None:
        """Pay interest on cash and receive what arrives."""
        self.cash = self.cash * growth + arrival

    def equity(self, price: float) -> float:
        """Return cash plus units at `price`."""
        return self.cash + self.units * price

    def weight(self, price: float) -> float:
        """Return the invested share of equity at `price`; 0 without equity."""
        equity = self.equity(price)
        return self.units * price / equity if equity > 0.0 else 0.0

    def rebalance(self, target: float, *, price: float, bar: int) -> Trade | None:
        """Move towards `target`, a share of equity in [0, 1]; None when nothing is traded."""
        equity = self.equity(price)
        weight = self.weight(price)
        is_exit = target == 0.0 and self.units > 0.0
        is_near = abs(target * equity - self.units * price) <= self.terms.no_trade_band * equity
        if equity <= 0.0 or (is_near and not is_exit):
            return None
        wanted = target * equity / price - self.units
        if wanted > 0.0:
            units, paid = self._buy(wanted, price=price)
        else:
            units, paid = self._sell(self.units if is_exit else -wanted, price=price)
        if units == 0.0:
            return None
        value = abs(units) * paid
        fee = value * self.terms.fee_ratio
        self.fees += fee
        self.turnover += value / equity
        return Trade(bar, units, paid, value, fee, weight, self.weight(price))

    def _buy(self, wanted: float, *, price: float) -> tuple[float, float]:
        """Buy what cash affords; return the units bought and the price paid."""
        paid = price * (1.0 + self.terms.slippage_ratio)
        affordable = self.cash / (paid * (1.0 + self.terms.fee_ratio))
        if wanted < affordable:
            value = wanted * paid
            self.cash -= value + value * self.terms.fee_ratio
            self.units += wanted
            return wanted, paid
        self.cash = 0.0
        self.units += affordable
        return affordable, paid

    def _sell(self, wanted: float, *, price: float) -> tuple[float, float]:
        """Sell what is held; return the units sold (negative) and the price received."""
        received = price * (1.0 - self.terms.slippage_ratio)
        sold = min(wanted, self.units)
        value = sold * received
        self.cash += value - value * self.terms.fee_ratio
        self.units -= sold
        return -sold, received
