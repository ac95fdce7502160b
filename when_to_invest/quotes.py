"""Quotes: the best prices of an instrument at one instant, with as much depth as is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from when_to_invest.errors import ErrorCode, Fault

Level = tuple[Decimal, Decimal]
"""A price in USD and the quantity offered at it, in base units."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and ask at `at`; prices in USD, quantities in base units, levels best first.

    Raises:
        Fault: `corrupt_data` when an amount is not finite and positive, the levels are not sorted
            or do not begin with the best price, bid and ask have crossed, or `at` is naive.
    """

    instrument: str
    at: datetime
    bid_usd: Decimal
    bid_quantity: Decimal
    ask_usd: Decimal
    ask_quantity: Decimal
    bids: tuple[Level, ...] = ()
    """The whole known depth, the best bid first; empty where only the best is known."""
    asks: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no market can be."""
        if reason := self._flaw():
            raise Fault(
                ErrorCode.CORRUPT_DATA,
                f"the quote of {self.instrument} makes no sense: {reason}",
                fix="wait for the next one; look at the venue's own page if it goes on",
            )

    @property
    def mid_usd(self) -> Decimal:
        """Return the price halfway between bid and ask."""
        return (self.bid_usd + self.ask_usd) / 2

    @property
    def spread_usd(self) -> Decimal:
        """Return how far the ask is above the bid."""
        return self.ask_usd - self.bid_usd

    def _flaw(self) -> str:
        best = ((self.bid_usd, self.bid_quantity), (self.ask_usd, self.ask_quantity))
        if not all(_is_amount(part) for level in (*best, *self.bids, *self.asks) for part in level):
            return "an amount is not finite and positive"
        if self.bid_usd >= self.ask_usd:
            return "bid and ask have crossed"
        if self.at.tzinfo is None:
            return "its instant has no zone"
        if not _follows(self.bids, best[0], sign=-1) or not _follows(self.asks, best[1], sign=1):
            return "its levels are not sorted from the best"
        return ""


def _is_amount(value: Decimal) -> bool:
    return value.is_finite() and value > 0


def _follows(levels: Sequence[Level], best: Level, *, sign: int) -> bool:
    """Whether levels begin with the best one and get worse strictly; none are no contradiction."""
    prices = [sign * price for price, _ in levels]
    is_sorted = all(better < worse for better, worse in pairwise(prices))
    return not levels or (levels[0] == best and is_sorted)
