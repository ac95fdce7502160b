"""A home as its operator's commands see it: journal, clock, and the roll of whose keys count.

It follows the journal with this home's own configuration, like the gate and the executor, so
that a command refuses what they would not believe. It must never seal or trade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from home.clock import Clock
    from home.paths import Home
    from home.settings import Settings
    from ledger.journal import Journal
    from ledger.live import LiveLedger
    from policies.roll import Roll
    from when_to_invest.events import Event


@dataclass(frozen=True, slots=True)
class Registry:
    """One open home; `roll` and `ledger` stand where the journal stood when it was opened."""

    home: Home
    settings: Settings
    clock: Clock
    journal: Journal
    ledger: LiveLedger
    roll: Roll

    def now(self) -> datetime:
        """Return the home's present instant."""
        return self.clock.now()

    def record(self, decide: Callable[[], Sequence[Event]]) -> None:
        """Append what `decide` returns on the newest state, deciding again while others write.

        Raises:
            Fault: what `decide` raises, `journal_conflict`, or what the journal raises.
        """
        from tool_servers.orders.minutes import commit
        from when_to_invest.writers import Writer

        commit(self.journal, self.ledger, decide, writer=Writer.OPERATOR)


@contextmanager
def open_registry(home: Home, *, is_read_only: bool = False) -> Iterator[Registry]:
    """Open the journal of a home that was started once, folded to its end.

    A home whose configuration names nobody believes nobody: what would loosen is passed over.

    Raises:
        Fault: `journal_unreadable` when there is none yet, `looser_limit` when it was founded
            without somebody whom config.toml names, or what opening and folding raise.
    """
    from home.clock import clock_of
    from home.settings import anchors_of, read_settings
    from ledger.live import LiveLedger
    from ledger.opening import has_ledger, open_ledger
    from policies.limits import HARD_LIMITS, tighten
    from policies.roll import Roll
    from signing.eip712 import recover_address, typed_digest
    from signing.places import configured_seals

    settings = read_settings(home)
    if not has_ledger(settings.ledger, home):
        raise Fault(
            ErrorCode.JOURNAL_UNREADABLE,
            "this home has no journal yet",
            fix="start the services once with `when-to-invest up`",
        )
    quorum = tighten(HARD_LIMITS, settings.limits).approver_quorum
    trusted = configured_seals(home, settings.signing)
    anchors = anchors_of(settings, seal_addresses=trusted, quorum=quorum)
    roll = Roll(anchors, typed_digest, recover_address)
    journal = open_ledger(settings.ledger, home, is_read_only=is_read_only)
    try:
        ledger = LiveLedger(journal, is_warranted=roll.follow(), shelf_in=home.root)
        ledger.refresh()
        roll.electors.demand_no_stranger(anchors.approvers)
        yield Registry(home, settings, clock_of(home, settings.mode), journal, ledger, roll)
    finally:
        journal.close()
