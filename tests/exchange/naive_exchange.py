"""A second opinion on matching: one list, sorted anew for every order, no holds and no events."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tests.exchange.terms import Ask, Force, Side


@dataclass
class Resting:
    """What is left of an order."""

    number: int
    ask: Ask
    left: Decimal


@dataclass
class NaiveExchange:
    """Trades as (maker's number, taker's number, price, quantity), in the order they happen."""

    resting: list[Resting] = field(default_factory=list)
    trades: list[tuple[int, int, Decimal, Decimal]] = field(default_factory=list)

    def place(self, number: int, ask: Ask) -> None:
        others = [r for r in self.resting if self._crosses(ask, r)]
        others.sort(key=lambda r: (self._rank(r), r.number))
        if ask.force is Force.FILL_OR_KILL and sum(r.left for r in others) < ask.quantity:
            return
        left = ask.quantity
        for other in others:
            quantity = min(left, other.left)
            if quantity:
                self.trades.append((other.number, number, other.ask.price or Decimal(0), quantity))
                other.left -= quantity
                left -= quantity
        self.resting = [r for r in self.resting if r.left]
        if left and ask.price is not None and ask.force in (Force.GOOD_TILL_CANCELLED, Force.POST_ONLY):
            self.resting.append(Resting(number, ask, left))

    def would_take(self, ask: Ask) -> bool:
        return any(self._crosses(ask, r) for r in self.resting)

    def cancel(self, number: int) -> None:
        self.resting = [r for r in self.resting if r.number != number]

    @staticmethod
    def _rank(resting: Resting) -> Decimal:
        price = resting.ask.price or Decimal(0)
        return price if resting.ask.side is Side.SELL else -price

    @staticmethod
    def _crosses(ask: Ask, resting: Resting) -> bool:
        if resting.ask.side is ask.side:
            return False
        if ask.price is None or resting.ask.price is None:
            return True
        if ask.side is Side.BUY:
            return resting.ask.price <= ask.price
        return resting.ask.price >= ask.price
