"""Implementation shortfall: what the paper portfolio earned that the real one did not. Pure.

Perold (1988), "The implementation shortfall: paper versus reality". On paper the whole quantity
trades at once at the price of the decision. With sign s, quantity X, trades (q, p), decision price D,
arrival price A and final price E: delay s·Σq·(A - D), execution s·Σq·(p - A), opportunity
s·(X - Σq)·(E - D), and fees. They add up to the difference exactly; above zero is a cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from executor.quality.figures import Figure, Missing
from executor.quality.passages import Traded
from when_to_invest.intents import Side
from when_to_invest.money import BPS_PER_UNIT


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices that trades are held against, in USD; `final` is needed for what did not trade."""

    decided_usd: Figure
    arrival_usd: Figure
    final_usd: Figure


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Its parts in USD, and the paper portfolio's worth at the decision."""

    delay_usd: Figure
    execution_usd: Figure
    opportunity_usd: Figure
    fees_usd: Figure
    paper_usd: Figure

    @property
    def total_usd(self) -> Figure:
        """Return the sum of all parts; missing when one is."""
        parts = (self.delay_usd, self.execution_usd, self.opportunity_usd, self.fees_usd)
        lacking = next((part for part in parts if isinstance(part, Missing)), None)
        return lacking or sum((part for part in parts if isinstance(part, Decimal)), Decimal(0))

    @property
    def total_bps(self) -> Figure:
        """Return the total in basis points of the paper portfolio's worth."""
        return self.in_bps(self.total_usd)

    def in_bps(self, part_usd: Figure) -> Figure:
        """Return a part in basis points of the paper portfolio's worth."""
        if isinstance(part_usd, Missing):
            return part_usd
        return self.paper_usd if isinstance(self.paper_usd, Missing) else _ratio(part_usd, self.paper_usd)


def shortfall(side: Side, *, quantity: Decimal, trades: Sequence[Traded], prices: Prices) -> Shortfall:
    """Return the parts of the shortfall of an order of `quantity` base units."""
    filled = sum((trade.quantity for trade in trades), Decimal(0))
    paid_usd = sum((trade.quantity * trade.price_usd for trade in trades), Decimal(0))
    rest = quantity - filled
    return Shortfall(
        delay_usd=_moved(side, filled, prices.decided_usd, prices.arrival_usd),
        execution_usd=_executed(side, filled, paid_usd, prices.arrival_usd),
        opportunity_usd=_moved(side, rest, prices.decided_usd, prices.final_usd),
        fees_usd=_fees(trades),
        paper_usd=_times(quantity, prices.decided_usd),
    )


def _moved(side: Side, quantity: Decimal, before_usd: Figure, after_usd: Figure) -> Figure:
    """Return what a move of the price costs who still had to trade; nothing when there was nothing to."""
    if not quantity:
        return Decimal(0)
    if isinstance(before_usd, Missing):
        return before_usd
    return after_usd if isinstance(after_usd, Missing) else side.sign * quantity * (after_usd - before_usd)


def _executed(side: Side, quantity: Decimal, paid_usd: Decimal, arrival_usd: Figure) -> Figure:
    if not quantity:
        return Decimal(0)
    due_usd = _times(quantity, arrival_usd)
    return due_usd if isinstance(due_usd, Missing) else side.sign * (paid_usd - due_usd)


def _fees(trades: Sequence[Traded]) -> Figure:
    told = [trade.fee_usd for trade in trades if trade.fee_usd is not None]
    if len(told) < len(trades):
        return Missing("people settled a part of it, without its fee")
    return sum(told, Decimal(0))


def _times(quantity: Decimal, price_usd: Figure) -> Figure:
    return price_usd if isinstance(price_usd, Missing) else quantity * price_usd


def _ratio(part_usd: Decimal, whole_usd: Decimal) -> Decimal:
    return part_usd / whole_usd * BPS_PER_UNIT
