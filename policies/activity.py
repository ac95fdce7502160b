"""What was asked for lately: messages, repetitions and turnover. Stage: gate.

A decision is counted against what came before its own proposal, so that the executor's
second judgement counts the same messages as the gate's first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from when_to_invest.intents import OrderIntent
from when_to_invest.portfolio import AccountBook, Proposal
from when_to_invest.recent import WINDOW
from when_to_invest.tallies import scope_of

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Activity:
    """Counts in the windows that end when this intent was proposed, itself left out."""

    proposed_at: datetime
    proposer: str
    messages_last_minute: int
    messages_last_hour: int
    proposer_messages_last_minute: int
    proposer_messages_last_hour: int
    duplicate_at: datetime | None
    """When the newest equal proposal that was not refused came, within 24 hours."""


def measure_activity(intent: OrderIntent, *, book: AccountBook, decision_id: str, now: datetime) -> Activity:
    """Count proposals of the last hour, and find the newest equal one of the last 24 hours."""
    tally = book.recent.tallies.asked
    tally.follow(book.proposals)
    own_and_later = tally.since(decision_id)
    at = own_and_later[-1].at if own_and_later else now
    proposer = own_and_later[-1].proposer if own_and_later else intent.proposer
    scope, minute, hour = scope_of(intent), at - MINUTE, at - HOUR
    here = [item for item in own_and_later if scope_of(item) == scope]
    theirs = [item for item in own_and_later if item.proposer == proposer]
    not_earlier = {item.decision_id for item in own_and_later}
    equal = (
        when
        for when, owner in tally.equal(intent, proposer=proposer)
        if owner not in not_earlier and owner not in book.refused
    )
    return Activity(
        proposed_at=at,
        proposer=proposer,
        messages_last_minute=tally.in_scope(scope, after=minute) - _count(here, since=minute),
        messages_last_hour=tally.in_scope(scope, after=hour) - _count(here, since=hour),
        proposer_messages_last_minute=tally.by_proposer(proposer, after=minute)
        - _count(theirs, since=minute),
        proposer_messages_last_hour=tally.by_proposer(proposer, after=hour) - _count(theirs, since=hour),
        duplicate_at=next(equal, None),
    )


def turnover_24h_usd(book: AccountBook, *, now: datetime, besides: str) -> Decimal:
    """Return what was sealed in the 24 hours before `now`, one decision left out."""
    tally = book.recent.tallies.turnover
    tally.follow(book.turnover)
    return tally.total_usd(after=now - WINDOW, besides=besides)


def _count(proposals: Sequence[Proposal], *, since: datetime) -> int:
    return sum(item.at > since for item in proposals)
