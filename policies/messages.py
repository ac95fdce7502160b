"""How many messages there were on an intent's account, venue and instrument. Stage: gate.

Counted are the proposer's own proposals, the refused ones too, and everybody's sealed orders:
what others only ask for stops nobody else. The windows of proposals end when the intent was
proposed, those of sealed orders when it is sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from policies.splitting import not_earlier, sealed_tally
from when_to_invest.intents import OrderIntent
from when_to_invest.portfolio import AccountBook, Proposal
from when_to_invest.tallies import AskedTally, Scope, SealedTally, scope_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What a proposer had asked for before a proposal of its own."""

    tally: AskedTally
    proposer: str
    until: datetime
    not_earlier: Sequence[Proposal]
    """The proposal itself, and what the proposer asked for since."""

    def since(self, instant: datetime, *, scope: Scope) -> list[str]:
        """Return the decisions of what was asked for of an account, venue and instrument after an instant."""
        counted = self.tally.in_scope(scope, proposer=self.proposer, after=instant)
        for item in self.not_earlier:
            if item.at > instant and scope_of(item) == scope:
                counted.remove(item.decision_id)
        return counted


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was sealed before an order is, or was."""

    tally: SealedTally
    until: datetime
    not_earlier: frozenset[str]
    """The order itself, if it was ever sealed, and what was sealed after it."""

    def since(self, instant: datetime, *, scope: Scope) -> list[str]:
        """Return decisions of an account, venue and instrument sealed after an instant, none rejected."""
        found = self.tally.in_scope(scope, after=instant)
        return [owner for owner in found if owner not in self.not_earlier]


def sealed_before(book: AccountBook, *, decision_id: str, now: datetime, is_sealed: bool) -> Sealed:
    """Return what was sealed before `now`; with `is_sealed`, before the decision was."""
    tally = sealed_tally(book)
    late = not_earlier(book, decision_id, is_sealed=is_sealed)
    own = book.recent.sealed.get(decision_id) if is_sealed else None
    return Sealed(tally, now if own is None else own.at, frozenset(item.decision_id for item in late))


def messages_within(window: timedelta, intent: OrderIntent, *, asked: Asked, sealed: Sealed) -> int:
    """Count in a window what its proposer asked for and what anybody had sealed; what was both, once."""
    scope = scope_of(intent)
    orders = sealed.since(sealed.until - window, scope=scope)
    own = asked.since(asked.until - window, scope=scope)
    return len(own) + len(orders) - len(set(own).intersection(orders))
