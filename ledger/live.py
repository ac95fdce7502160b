"""State that follows the journal: the account book and every decision, folded as it grows.

Each process folds for itself and refreshes before it decides. Nothing here is ever stored:
what cannot be folded from the journal is not state.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from ledger.decisions import KEPT, Decisions
from ledger.fitting import fits
from ledger.journal import EMPTY, GENESIS, Head, Journal, Recorded
from ledger.shelf import Shelf
from when_to_invest.canonical import utc_text
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import EVENT_KINDS, AccountFunded, Event, OrderSettled, TradingResumed
from when_to_invest.portfolio import AccountBook

CLOCK_TOLERANCE: Final = timedelta(seconds=5)
"""How far machines that keep time together may differ."""
_OF_DECISIONS: Final = frozenset(kind for kind in EVENT_KINDS if "decision_id" in kind.model_fields)
_FITTED: Final = frozenset({TradingResumed, OrderSettled})
"""What is signed for one state alone."""
MOST_TOLD: Final = 100
"""Events passed over that are remembered one by one; more are counted."""
MANY: Final = 1_000
"""Events at one refresh from which on decisions are laid aside as soon as they have ended."""
Warrant = Callable[[Event, str], bool]
"""Whether an event that loosens, in the home of that id, carries the signatures it needs."""


class PassedOver(NamedTuple):
    """An event that changed nothing, though it is in the journal."""

    sequence: int
    kind: str
    decision_id: str | None
    why: str


def nothing_is_warranted(event: Event, home_id: str) -> bool:
    """Return False for every event that loosens: who knows no approvers believes none."""
    del home_id
    return type(event) not in _FITTED


class LiveLedger:
    """A fold that stands still between calls of `refresh`.

    An event that cannot have happened ends it: from then on every refresh raises, because
    a state that skipped an event is not the journal's. Only what would loosen without the
    signatures for it changes nothing, so that whoever can write cannot lift a halt; nor does
    more money for an account, which is funded once, when its home is founded; nor what is told
    of a decision that nobody proposed, which can move neither money nor exposure.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        is_warranted: Warrant = nothing_is_warranted,
        kept: int | None = KEPT,
        shelf_in: Path | None = None,
    ) -> None:
        self._journal = journal
        self._is_warranted = is_warranted
        self.home_id = GENESIS
        """Hash of the journal's first event: no other home has it."""
        self._head = EMPTY
        self.newest_at: datetime | None = None
        """The latest instant of any event; no clock of this home stands before it."""
        self.many = MANY
        """The event of a refresh with which a catching up begins."""
        self._ended_by: Fault | None = None
        self._lock = threading.Lock()
        self.passed_over: list[PassedOver] = []
        """The first events that changed nothing: unsigned, unfitting, nobody's, or money put in anew."""
        self.passed_over_count = 0
        self.book = AccountBook()
        self.decisions = Decisions(journal, self.book, kept=kept, shelf=Shelf(shelf_in))

    @property
    def head(self) -> Head:
        """Return the head up to which state was folded."""
        return self._head

    def refresh(self) -> Head:
        """Fold what was recorded since the last refresh and return the head reached.

        Raises:
            Fault: `journal_corrupt` when an event does not check; `illegal_transition` when
                one cannot have happened.
        """
        with self._lock:
            if self._ended_by is not None:
                raise self._ended_by
            try:
                with _without_collector():
                    self._follow()
            except Fault as fault:
                # A lock held elsewhere passes; a history that makes no sense does not.
                self._ended_by = None if fault.is_retryable else fault
                raise
            return self._head

    def demand_forward(self, now: datetime) -> None:
        """Return when `now` does not lie before what the journal knows, a few seconds aside.

        On a clock that went back, windows and expiries would count what has passed as not
        there yet.

        Raises:
            Fault: `clock_back`, naming both instants.
        """
        if self.newest_at is not None and now < self.newest_at - CLOCK_TOLERANCE:
            raise Fault(
                ErrorCode.CLOCK_BACK,
                f"the clock says {utc_text(now)}, but the journal already knows {utc_text(self.newest_at)}",
                fix="set the clock right; nothing is decided until it has passed the journal's newest event",
            )

    def _follow(self) -> None:
        last = None
        decisions, head, newest_at = self.decisions, self._head, self.newest_at
        known, many = head.hash, head.sequence + self.many
        try:
            for recorded in self._journal.read(after=head.sequence):
                sequence, previous_hash, own_hash, event = recorded
                if previous_hash != known:
                    raise _rewritten(recorded)
                at = event.at
                # What is written alike is one instant, parsed once: it is no later than itself.
                if at is not newest_at and (newest_at is None or at > newest_at):
                    self.newest_at = newest_at = at
                if sequence == 1:
                    self.home_id = own_hash
                if sequence == many:
                    decisions.is_catching_up = True
                self._take(recorded)
                known, last = own_hash, recorded
        finally:
            decisions.is_catching_up = False
            if last is not None:
                self._head = last.head

    def _take(self, recorded: Recorded) -> None:
        event = recorded[3]
        kind = type(event)
        if not self._is_warranted(event, self.home_id):
            self._pass_over(recorded, "it lacks the signatures that it needs")
        elif kind in _FITTED and not fits(event, book=self.book, decisions=self.decisions):
            self._pass_over(recorded, "what it was signed for is not so, or no longer")
        elif kind in _OF_DECISIONS:
            if not self.decisions.apply(recorded):
                self._pass_over(recorded, "nobody proposed that decision")
        elif isinstance(event, AccountFunded) and event.account in self.book.cash_usd:
            self._pass_over(recorded, "that account was funded before")
        else:
            self.book.apply(event)

    def _pass_over(self, recorded: Recorded, why: str) -> None:
        self.passed_over_count += 1
        if isinstance(recorded.event, TradingResumed):
            self.book.standing.pass_by()
        if len(self.passed_over) < MOST_TOLD:
            about = getattr(recorded.event, "decision_id", None)
            self.passed_over.append(PassedOver(recorded.sequence, recorded.event.kind, about, why))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the cycle collector from walking the growing state over and over.

    Nothing that is folded is part of a cycle, so it would find nothing; on a long replay
    it takes a third of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _rewritten(recorded: Recorded) -> Fault:
    return Fault(
        ErrorCode.JOURNAL_CORRUPT,
        f"event {recorded.sequence} of the journal follows another history than the one read before",
        fix="stop trading, run `when-to-invest journal verify`, restore the journal from a backup",
    )
