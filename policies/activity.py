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
    messages_last_hour: int
    proposer_messages_last_minute: int
    proposer_messages_last_hour: int
    duplicate_at: datetime | None
    """When the newest equal proposal that was not refused came, within 24 hours."""


def measure_activity(intent: OrderIntent, *, book: AccountBook, decision_id: str, now: datetime) -> Activity:
    """Count proposals of the last hour, and find the newest equal one of the last 24 hours."""
    own = next((item for item in book.proposals if item.decision_id == decision_id), None)
    at = own.at if own else now
    proposer = own.proposer if own else intent.proposer
    earlier = _before(book, decision_id)
    scope, shape = _scope_of(intent), _shape_of(intent)
    in_scope = [item for item in earlier if _scope_of(item) == scope]
    by_proposer = [item for item in earlier if item.proposer == proposer]
    equal = [
        item.at for item in by_proposer if _shape_of(item) == shape and item.decision_id not in book.refused
    ]
    return Activity(
        proposed_at=at,
        proposer=proposer,
        messages_last_minute=_count(in_scope, since=at - MINUTE),
        messages_last_hour=_count(in_scope, since=at - HOUR),
        proposer_messages_last_minute=_count(by_proposer, since=at - MINUTE),
        proposer_messages_last_hour=_count(by_proposer, since=at - HOUR),
        duplicate_at=max(equal, default=None),
    )


def turnover_24h_usd(book: AccountBook, *, now: datetime, besides: str) -> Decimal:
    """Return what was sealed in the 24 hours before `now`, one decision left out."""
    return sum(
        (
            item.notional_usd
            for item in book.turnover
            if item.at > now - WINDOW and item.decision_id != besides
        ),
        ZERO,
    )


def _before(book: AccountBook, decision_id: str) -> list[Proposal]:
    earlier: list[Proposal] = []
    for item in book.proposals:
        if item.decision_id == decision_id:
            break
        earlier.append(item)
    return earlier


def _scope_of(item: Proposal | OrderIntent) -> tuple[str, str, str]:
    return item.account, item.venue, item.instrument


def _shape_of(item: Proposal | OrderIntent) -> tuple[str, str, Decimal]:
    return item.instrument, item.side.value, item.quantity


def _count(proposals: Sequence[Proposal], *, since: datetime) -> int:
    return sum(item.at > since for item in proposals)
