"""What the market looks like to a plan: a fresh quote, and what was traded since the plan began.

Stage: venue → plan. What cannot be learnt is none, and nothing is sent on it.
"""

from __future__ import annotations

from datetime import datetime

from executor.algos.moves import Market
from executor.venues.port import Venue
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.execution import PovPlan
from when_to_invest.intents import OrderIntent

_SILENCE = frozenset({ErrorCode.VENUE_UNAVAILABLE, ErrorCode.CORRUPT_DATA})
"""A venue that does not answer, or answers nonsense, tells nothing; a plan waits and its end still comes."""


async def market_for(intent: OrderIntent, *, venue: Venue, since: datetime | None) -> Market:
    """Return the market of an intent's instrument; its volume since `since`, only where a plan follows it.

    Raises:
        Fault: a failure of the venue other than silence or nonsense.
    """
    try:
        quote = await venue.quote(intent.instrument)
        if since is None or not isinstance(intent.execution, PovPlan):
            return Market(quote)
        return Market(quote, await venue.traded_quantity(intent.instrument, since=since))
    except Fault as fault:
        if fault.code not in _SILENCE:
            raise
        return Market(None)
