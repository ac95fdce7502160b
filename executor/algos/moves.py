"""What an algorithm sees besides the journal, and what it may answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from when_to_invest.execution import Ending
from when_to_invest.intents import TimeInForce
from when_to_invest.quotes import Quote


@dataclass(frozen=True, slots=True)
class Market:
    """The market as it is known now; what is not known is none, and nothing is sent on it.

    `traded_quantity`: base units that everybody, we included, traded since the plan began.
    `stale_after`: how old a quote may be.
    """

    quote: Quote | None
    traded_quantity: Decimal | None = None
    stale_after: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class NextChild:
    """Send this order now; `attempt` counts from 1 and is above 1 only after a proven absence."""

    slice_index: int
    attempt: int
    quantity: Decimal
    limit_price_usd: Decimal
    time_in_force: TimeInForce


@dataclass(frozen=True, slots=True)
class CancelChild:
    """Ask the venue to cancel this order; answered again until the venue says that it ended."""

    client_order_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`, or before the journal says something new when it is none."""

    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """The plan is over; `unfilled_quantity` in base units is what did not trade."""

    ending: Ending
    unfilled_quantity: Decimal


Move = NextChild | CancelChild | Wait | Done
