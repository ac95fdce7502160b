"""Who holds what. Nothing is created or lost in it but by a deposit; fees go to the house."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from tests.exchange.terms import ZERO, Holding, RefusedError, Why

HOUSE = "house"


class Vault:
    """Free and held amounts of every account, and what was ever paid in."""

    def __init__(self) -> None:
        self._holdings: defaultdict[str, defaultdict[str, Holding]] = defaultdict(
            lambda: defaultdict(Holding)
        )
        self.deposited: defaultdict[str, Decimal] = defaultdict(Decimal)

    def deposit(self, account: str, asset: str, amount: Decimal) -> None:
        self._holdings[account][asset].free += amount
        self.deposited[asset] += amount

    def holding(self, account: str, asset: str) -> Holding:
        return self._holdings[account][asset]

    def holdings(self, account: str) -> dict[str, Holding]:
        return dict(self._holdings[account])

    def hold(self, account: str, asset: str, amount: Decimal) -> None:
        """Move from free to held; RefusedError when there is not enough."""
        holding = self._holdings[account][asset]
        if holding.free < amount:
            raise RefusedError(Why.NO_FUNDS)
        holding.free -= amount
        holding.held += amount

    def release(self, account: str, asset: str, amount: Decimal) -> None:
        holding = self._holdings[account][asset]
        holding.held -= amount
        holding.free += amount

    def pay(self, payer: str, payee: str, asset: str, amount: Decimal) -> None:
        """Move a free amount from one account to another."""
        if amount:
            self._holdings[payer][asset].free -= amount
            self._holdings[payee][asset].free += amount

    def total(self, asset: str) -> Decimal:
        """Return what all accounts together have of one asset."""
        return sum((h[asset].free + h[asset].held for h in self._holdings.values() if asset in h), ZERO)

    def least(self) -> Decimal:
        """Return the smallest free or held amount of anybody."""
        return min(
            (x for h in self._holdings.values() for a in h.values() for x in (a.free, a.held)), default=ZERO
        )
