"""The naive gate's count of messages: who asked how often, and how many orders were sealed."""

from __future__ import annotations

from datetime import datetime, timedelta

from policies.limits import Limits
from tests.strategies.situations import DECISION, Situation
from when_to_invest.portfolio import Proposal

Codes = list[tuple[str, str]]
MINUTE, HOUR = timedelta(seconds=60), timedelta(seconds=3600)


def about_pace(s: Situation, limits: Limits) -> Codes:
    i, at, proposer = s.intent, s.now, s.intent.proposer
    earlier = list(s.book.proposals)
    for n, item in enumerate(earlier):
        if item.decision_id == DECISION:
            earlier, at, proposer = earlier[:n], item.at, item.proposer
            break
    said: Codes = []
    mine = [item for item in earlier if item.proposer == proposer]
    for item in mine:
        is_equal = (item.instrument, item.side, item.quantity) == (i.instrument, i.side, i.quantity)
        is_recent = at - item.at < timedelta(seconds=limits.duplicate_window_s)
        if is_equal and is_recent and item.decision_id not in s.book.refused:
            said = [("duplicate", "duplicate_intent")]
    if (
        _messages(s, _lately(mine, at, MINUTE), MINUTE) >= limits.max_messages_per_minute
        or _messages(s, _lately(mine, at, HOUR), HOUR) >= limits.max_messages_per_hour
    ):
        said.append(("message_rate", "message_rate_exceeded"))
    if (
        len(_lately(mine, at, MINUTE)) >= limits.max_proposer_messages_per_minute
        or len(_lately(mine, at, HOUR)) >= limits.max_proposer_messages_per_hour
    ):
        said.append(("proposer_rate", "proposer_rate_exceeded"))
    return said


def _lately(mine: list[Proposal], at: datetime, window: timedelta) -> list[Proposal]:
    return [item for item in mine if at - item.at < window]


def _messages(s: Situation, mine: list[Proposal], window: timedelta) -> int:
    i = s.intent
    where = (i.account, i.venue, i.instrument)
    asked = [item.decision_id for item in mine if (item.account, item.venue, item.instrument) == where]
    is_over = s.is_sealed and DECISION in s.book.recent.sealed
    count, end = len(asked), s.book.recent.sealed[DECISION].at if is_over else s.now
    for owner, item in s.book.recent.sealed.items():
        if owner == DECISION and is_over:
            break
        is_here = (item.account, item.venue, item.instrument) == where and end - item.at < window
        count += is_here and owner not in [DECISION, *asked] and not item.is_rejected
    return count
