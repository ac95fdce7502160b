"""Cash and positions of every account: what trades move. Part of the account book."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from when_to_invest.intents import Side

ZERO: Final = Decimal(0)


@dataclass(slots=True)
class Position:
    """Holdings of one instrument; `quantity` in base units, `cost_usd` without fees."""

    quantity: Decimal = ZERO
    cost_usd: Decimal = ZERO

    def apply(self, *, side: Side, quantity: Decimal, price_usd: Decimal) -> None:
        """Add a fill; selling reduces cost at the average price."""
        if side is Side.BUY:
            self.quantity += quantity
            self.cost_usd += quantity * price_usd
            return
        average_usd = self.cost_usd / self.quantity if self.quantity else ZERO
        self.quantity -= quantity
        self.cost_usd -= quantity * average_usd


@dataclass(slots=True)
class Holdings:
    """Mutable; cash in USD by account, positions by account and instrument."""

    cash_usd: dict[str, Decimal] = field(default_factory=dict)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)

    def position(self, account: str, instrument: str) -> Position:
        """Return the position, an empty one when nothing is held."""
        return self.positions.get((account, instrument), Position())

    def add_cash(self, account: str, amount_usd: Decimal) -> None:
        """Add to an account's cash; a negative amount takes away."""
        self.cash_usd[account] = self.cash_usd.get(account, ZERO) + amount_usd

    def trade(
        self,
        *,
        owner: tuple[str, str],
        side: Side,
        quantity: Decimal,
        price_usd: Decimal,
        fee_usd: Decimal = ZERO,
    ) -> None:
        """Book an execution of an (account, instrument)."""
        position = self.positions.get(owner)
        if position is None:
            position = self.positions[owner] = Position()
        position.apply(side=side, quantity=quantity, price_usd=price_usd)
        self.add_cash(owner[0], -(side.sign * quantity * price_usd + fee_usd))
