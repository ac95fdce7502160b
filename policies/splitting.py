"""What was sealed before this order that it may be a part of. Stage: gate.

Counted are the orders sealed within 24 hours before the judged one is: what has traded of them
and what still may. What ended without trading counts no more. The executor's second
judgement, of an order that is sealed, counts the same orders as the gate's first; an order
that is to be sealed anew is a part of everything that was sealed besides.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from policies.exactness import EXACT
from when_to_invest.breakers import scopes_of
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.portfolio import AccountBook
from when_to_invest.recent import WINDOW, SealedOrder
from when_to_invest.tallies import SealedTally, kind_of

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
    intent: OrderIntent, *, book: AccountBook, decision_id: str, now: datetime, is_sealed: bool
) -> Parts:
    """Sum what counts, of the instrument and side and over all; count repetitions.

    `is_sealed`: the judged order is, so what was sealed after it does not count.
    """
    with localcontext(EXACT):
        tally = sealed_tally(book)
        left_out = {item.decision_id: item for item in tally.until(now - WINDOW)}
        left_out |= {item.decision_id: item for item in not_earlier(book, decision_id, is_sealed=is_sealed)}
        own = [
            item
            for item in left_out.values()
            if item.instrument == intent.instrument and item.side is intent.side
        ]
        own_unsigned_usd, own_once_usd = _besides(tally.worth_usd(kind_of(intent)), own)
        all_unsigned_usd, all_once_usd = _besides(tally.worth_usd(None), left_out.values())
        return Parts(
            own_unsigned_usd=own_unsigned_usd,
            own_undersigned_usd=own_unsigned_usd + own_once_usd,
            all_unsigned_usd=all_unsigned_usd,
            all_undersigned_usd=all_unsigned_usd + all_once_usd,
            repeated=_repetitions(intent, left_out=own, book=book, now=now),
        )


def sealed_tally(book: AccountBook) -> SealedTally:
    """Return the tally of a book's sealed orders, which has taken notice of all of them."""
    tally = book.recent.tallies.sealed
    with localcontext(EXACT):
        tally.follow([*book.recent.sealed.values()])
    return tally


def not_earlier(book: AccountBook, decision_id: str, *, is_sealed: bool) -> list[SealedOrder]:
    """Return the judged order itself, if it was ever sealed, and with `is_sealed` all sealed after it."""
    sealed = book.recent.sealed
    if decision_id not in sealed:
        return []
    if not is_sealed:
        return [sealed[decision_id]]
    found = []
    for owner, item in reversed(sealed.items()):
        found.append(item)
        if owner == decision_id:
            break
    return found


def _repetitions(
    intent: OrderIntent, *, left_out: Sequence[SealedOrder], book: AccountBook, now: datetime
) -> int:
    """Count all of the intent's instrument and side that count as repetitions, some left out."""
    counted = 0
    since: dict[tuple[str, str], datetime] = {}
    for owner, times in book.recent.tallies.sealed.live(kind_of(intent)):
        since[owner] = _since(*owner, intent.instrument, book=book, now=now)
        counted += len(times) - bisect_right(times, since[owner])
    # Of an account and venue without a live order, none counted above.
    return counted - sum(
        not item.is_rejected and item.at > since[item.account, item.venue] for item in left_out
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
    since = _since(item.account, item.venue, item.instrument, book=book, now=now)
    return not item.is_rejected and item.at > since


def _since(account: str, venue: str, instrument: str, *, book: AccountBook, now: datetime) -> datetime:
    """Return after when repetitions count: an hour ago, or when people last re-enabled a scope of theirs."""
    resumed_at = book.standing.resumed_at
    scopes = scopes_of(account=account, venue=venue, instrument=instrument)
    return max([now - _REPEAT_WINDOW, *(resumed_at[scope] for scope in scopes if scope in resumed_at)])


def _besides(worth_usd: Sequence[Decimal], left_out: Collection[SealedOrder]) -> tuple[Decimal, Decimal]:
    """Return what nobody and what one had signed of, some orders left out."""
    unsigned_usd, once_usd = worth_usd[:2]
    for item in left_out:
        if item.signatures == 0:
            unsigned_usd -= item.worth_usd
        elif item.signatures == 1:
            once_usd -= item.worth_usd
    return unsigned_usd, once_usd
