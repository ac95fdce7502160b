"""The first events of a home, each written once in the journal's life, whoever else is writing.

Stage: before the desk opens. A home founds itself, its first approvers and its paper account
from its configuration; what was founded is never founded again.
"""

from __future__ import annotations

import secrets

from ledger.journal import Journal
from ledger.live import LiveLedger
from tool_servers.orders.court import Court
from tool_servers.orders.minutes import commit
from when_to_invest.events import AccountFunded, Event
from when_to_invest.keyholders import Approver, ApproversFounded, HomeFounded


def found(journal: Journal, ledger: LiveLedger, court: Court) -> None:
    """Write what this home has not founded yet.

    Raises:
        Fault: `looser_limit` when config.toml names an approver whom the journal does not know;
            `journal_conflict`, or what appending raises.
    """
    commit(journal, ledger, lambda: _missing(ledger, court))
    court.roll.electors.demand_no_stranger(court.settings.approvers)


def _missing(ledger: LiveLedger, court: Court) -> tuple[Event, ...]:
    settings, now = court.settings, court.clock.now()
    missing: list[Event] = []
    if ledger.head.sequence == 0:
        missing.append(HomeFounded(at=now, mode=settings.mode, chance=secrets.token_hex(32)))
    if settings.approvers and not court.roll.is_founded:
        named = tuple(Approver(name=name, address=at) for name, at in settings.approvers.items())
        missing.append(ApproversFounded(at=now, mode=settings.mode, approvers=named))
    if settings.account not in ledger.book.cash_usd:
        cash_usd = settings.paper.cash_usd
        missing.append(AccountFunded(at=now, mode=settings.mode, account=settings.account, cash_usd=cash_usd))
    return tuple(missing)
