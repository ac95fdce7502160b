"""What was sealed before this order that it may be a part of. Stage: gate.

Counted are the orders sealed within 24 hours before the judged one is: what has traded of them
and what still may. What ended without trading counts no more. The executor's second
judgement, of an order that is sealed, counts the same orders as the gate's first; an order
that is to be sealed anew is a part of everything that was sealed besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from when_to_invest.breakers import scopes_of
from when_to_invest.holdings import ZERO
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.portfolio import AccountBook
from when_to_invest.recent import WINDOW, SealedOrder

_REPEAT_WINDOW: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Parts:
    """Amounts in USD by how many had signed; `repeated`: orders of this instrument and side."""

    own_unsigned_usd: Decimal
    own_undersigned_usd: Decimal
    all_unsigned_usd: Decimal
    all_undersigned_usd: Decimal
    repeated: int


def measure_parts(
    intent: OrderIntent, *, others: Iterable[SealedOrder], book: AccountBook, now: datetime
) -> Parts:
    """Sum `others`, of the instrument and side and over all; count repetitions."""
    earlier = [item for item in others if item.at > now - WINDOW]
    own = [item for item in earlier if (item.instrument, item.side) == (intent.instrument, intent.side)]
    return Parts(
        own_unsigned_usd=_sum_usd(own, below=1),
        own_undersigned_usd=_sum_usd(own, below=2),
        all_unsigned_usd=_sum_usd(earlier, below=1),
        all_undersigned_usd=_sum_usd(earlier, below=2),
        repeated=sum(_is_repetition(item, book=book, now=now) for item in own),
    )


def repeated_executions(book: AccountBook, *, instrument: str, side: Side, now: datetime) -> int:
    """Return how many orders of an instrument and side were sent in the last hour, for the throttle."""
    return sum(
        _is_repetition(item, book=book, now=now)
        for item in book.recent.sealed.values()
        if item.sent_at is not None and (item.instrument, item.side) == (instrument, side)
    )


def _is_repetition(item: SealedOrder, *, book: AccountBook, now: datetime) -> bool:
    """Whether it counts: of the last hour, not rejected, and not before people re-enabled its scope."""
    if item.is_rejected or item.at <= now - _REPEAT_WINDOW:
        return False
    scopes = scopes_of(account=item.account, venue=item.venue, instrument=item.instrument)
    resumed = [book.standing.resumed_at[scope] for scope in scopes if scope in book.standing.resumed_at]
    return not resumed or item.at > max(resumed)


def _sum_usd(items: Sequence[SealedOrder], *, below: int) -> Decimal:
    return sum((item.worth_usd for item in items if item.signatures < below), ZERO)
