"""What routing looks at, and what it answers. Values only.

Stage: executor, between an algorithm's next child and the gate that judges each child again. It
must never widen anything: limit, quantity, balances and headroom are the caller's, as they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

from executor.algos.progress import Terms
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.intents import Side
from when_to_invest.quotes import Quote

LONGEST_QUOTE_AGE_S: Final = Decimal(5)
"""A quote that is older is no quote."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What a venue takes of a trade's notional, in basis points; a rebate is below zero."""

    taker_bps: Decimal
    maker_bps: Decimal


@dataclass(frozen=True, slots=True)
class Delivery:
    """How orders reach a venue, as measured: seconds to its answer, their spread, the share rejected.

    `latency_spread_s`: one standard deviation. `reject_ratio`: of the orders sent, from 0 to below 1.
    """

    latency_s: Decimal
    latency_spread_s: Decimal
    reject_ratio: Decimal


@dataclass(frozen=True, slots=True)
class Room:
    """What an order at a venue may still use: cash or units held there, and room below the limits."""

    cash_usd: Decimal
    units: Decimal
    headroom_usd: Decimal


@dataclass(frozen=True, slots=True)
class Offer:
    """One venue as it stands; without a quote it takes no part."""

    venue: str
    quote: Quote | None
    terms: Terms
    fees: Fees
    delivery: Delivery
    room: Room


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be traded now: at most `quantity` base units, at `limit_price_usd` or better.

    `variance_per_s`: of the relative price change in one second, for the cost of latency.

    Raises:
        Fault: `bad_argument` when an amount is not finite, or not above zero.
    """

    instrument: str
    side: Side
    quantity: Decimal
    limit_price_usd: Decimal
    now: datetime
    variance_per_s: Decimal
    max_quote_age_s: Decimal = LONGEST_QUOTE_AGE_S

    def __post_init__(self) -> None:
        """Refuse what nobody can want."""
        amounts = (self.quantity, self.limit_price_usd, self.variance_per_s, self.max_quote_age_s)
        is_sound = all(amount.is_finite() and amount >= 0 for amount in amounts)
        if not (is_sound and self.quantity and self.limit_price_usd and self.now.tzinfo):
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                f"nothing can be routed for {self.instrument}: an amount or the instant makes no sense",
                fix="give a quantity and a limit above zero, a variance that is known, and an aware instant",
            )

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.side is Side.BUY


@unique
class Reason(StrEnum):
    """Why a venue gets nothing."""

    NAMED_TWICE = "named_twice"
    NO_QUOTE = "no_quote"
    OTHER_INSTRUMENT = "other_instrument"
    BROKEN_QUOTE = "broken_quote"
    STALE_QUOTE = "stale_quote"
    QUOTE_FROM_THE_FUTURE = "quote_from_the_future"
    UNUSABLE_TERMS = "unusable_terms"
    UNUSABLE_RECORD = "unusable_record"
    BEYOND_LIMIT = "beyond_limit"
    NO_ROOM = "no_room"
    BELOW_MINIMUM = "below_minimum"
    NOT_NEEDED = "not_needed"
    WOULD_TRADE = "would_trade"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A venue that gets nothing, and why."""

    venue: str
    reason: Reason
    why: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one venue gets: base units, in its lots, at a limit in its ticks."""

    venue: str
    quantity: Decimal
    limit_price_usd: Decimal


@dataclass(frozen=True, slots=True)
class Route:
    """Which venue gets what; `left_out` holds every other one.

    `cost_usd`: what the shares cost with fees and latency if the quotes hold; what a sale brings is
    below zero.
    """

    shares: tuple[Share, ...]
    left_out: tuple[LeftOut, ...]
    cost_usd: Decimal

    @property
    def quantity(self) -> Decimal:
        """Return what all venues get together."""
        return sum((share.quantity for share in self.shares), Decimal(0))
