"""What was asked for lately: messages, repetitions and turnover. Stage: gate.

A decision is counted against what came before its own proposal, and what was sealed before its
own seal, so that the executor's second judgement counts no message that the gate's first did not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from policies.exactness import EXACT
from policies.messages import Asked, messages_within, sealed_before
from policies.splitting import sealed_tally
from when_to_invest.holdings import ZERO
from when_to_invest.intents import OrderIntent
from when_to_invest.portfolio import AccountBook, Proposal
from when_to_invest.recent import WINDOW

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Activity:
    """Counts in the windows that end when this intent was proposed, itself left out."""

    proposed_at: datetime
    proposer: str
    messages_last_minute: int
    """On its account, venue and instrument: its proposer's proposals, and everybody's sealed orders."""
    messages_last_hour: int
    proposer_messages_last_minute: int
    proposer_messages_last_hour: int
    duplicate_at: datetime | None
    """When the newest equal proposal that was not refused came, within 24 hours."""


def measure_activity(
    intent: OrderIntent, *, book: AccountBook, decision_id: str, now: datetime, is_sealed: bool
) -> Activity:
    """Count messages of the last hour, and find the newest equal proposal of the last 24 hours.

    `is_sealed`: the judged order is, so what was sealed after it does not count.
    """
    tally = book.recent.tallies.asked
    tally.follow(book.proposals)
    own_and_later = tally.since(decision_id)
    at = own_and_later[-1].at if own_and_later else now
    proposer = own_and_later[-1].proposer if own_and_later else intent.proposer
    minute, hour = at - MINUTE, at - HOUR
    theirs = [item for item in own_and_later if item.proposer == proposer]
    asked = Asked(tally, proposer, at, theirs)
    sealed = sealed_before(book, decision_id=decision_id, now=now, is_sealed=is_sealed)
    not_earlier = {item.decision_id for item in own_and_later}
    equal = (
        when
        for when, owner in tally.equal(intent, proposer=proposer)
        if owner not in not_earlier and owner not in book.refused
    )
    return Activity(
        proposed_at=at,
        proposer=proposer,
        messages_last_minute=messages_within(MINUTE, intent, asked=asked, sealed=sealed),
        messages_last_hour=messages_within(HOUR, intent, asked=asked, sealed=sealed),
        proposer_messages_last_minute=tally.by_proposer(proposer, after=minute)
        - _count(theirs, since=minute),
        proposer_messages_last_hour=tally.by_proposer(proposer, after=hour) - _count(theirs, since=hour),
        duplicate_at=next(equal, None),
    )


def turnover_24h_usd(book: AccountBook, *, now: datetime, besides: str) -> Decimal:
    """Return what has traded of what was sealed in the 24 hours before `now`, and what still may.

    One decision is left out. What ended without trading, or was rejected, is no turnover.
    """
    with localcontext(EXACT):
        tally = sealed_tally(book)
        left_out = {item.decision_id: item for item in tally.until(now - WINDOW)}
        if besides in book.recent.sealed:
            left_out[besides] = book.recent.sealed[besides]
        gone_usd = sum((item.worth_usd for item in left_out.values()), ZERO)
        return sum(tally.worth_usd(None), ZERO) - gone_usd


def _count(proposals: Sequence[Proposal], *, since: datetime) -> int:
    return sum(item.at > since for item in proposals)
