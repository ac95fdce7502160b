"""What a price cost against another one, in basis points; above zero is a cost, on either side. Pure.

Effective spread: twice the distance from the middle at the trade; realised spread: twice the distance
from the middle a while later (Huang and Stoll 1996, "Dealer versus auction markets"; SEC Rule 605).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from executor.quality.figures import Figure, Missing
from executor.quality.passages import Traded
from when_to_invest.intents import Side
from when_to_invest.money import BPS_PER_UNIT


def average_price_usd(trades: Sequence[Traded]) -> Figure:
    """Return the average price of what was executed."""
    quantity = sum((trade.quantity for trade in trades), Decimal(0))
    if not quantity:
        return Missing("nothing was executed")
    return sum((trade.quantity * trade.price_usd for trade in trades), Decimal(0)) / quantity


def slippage_bps(side: Side, *, price_usd: Figure, benchmark_usd: Figure) -> Figure:
    """Return by how much a price is worse than a benchmark, in basis points of it."""
    if isinstance(price_usd, Missing):
        return price_usd
    if isinstance(benchmark_usd, Missing):
        return benchmark_usd
    return side.sign * (price_usd - benchmark_usd) / benchmark_usd * BPS_PER_UNIT


def effective_spread_bps(side: Side, *, price_usd: Figure, middle_usd: Figure) -> Figure:
    """Return twice the distance between price and the middle at the trade."""
    half = slippage_bps(side, price_usd=price_usd, benchmark_usd=middle_usd)
    return half if isinstance(half, Missing) else 2 * half


def realised_spread_bps(side: Side, *, price_usd: Figure, middle_usd: Figure, later_usd: Figure) -> Figure:
    """Return twice the distance to the middle a while later, in basis points of the one at the trade."""
    for figure in (price_usd, middle_usd, later_usd):
        if isinstance(figure, Missing):
            return figure
    if isinstance(price_usd, Decimal) and isinstance(middle_usd, Decimal) and isinstance(later_usd, Decimal):
        return 2 * side.sign * (price_usd - later_usd) / middle_usd * BPS_PER_UNIT
    return Missing("a price is not known")
