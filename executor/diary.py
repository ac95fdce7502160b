"""The executor's pen: reads the journal, folds it, and appends only on the state it has read.

Every append names the head it was decided on. If anybody wrote in between, the decision
is made again on the new state, so no verdict and no fill rests on a stale fold.

# INVARIANT: nothing is appended once a newer executor has announced its epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Final

from executor.offload import InPlace, Offload
from executor.overheard import Overheard, Strangers
from executor.recorder import Recorder
from home.clock import Clock, machine_time
from ledger.decisions import Decisions
from ledger.journal import Head, Journal
from ledger.live import LiveLedger, Warrant, nothing_is_warranted
from when_to_invest import events as ev
from when_to_invest.breakers import AUTOMATIC_MOVES, TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord
from when_to_invest.letters import Letter
from when_to_invest.loosening import demand_no_loosening
from when_to_invest.portfolio import AccountBook
from when_to_invest.reconciliation import Accounts
from when_to_invest.values import Mode
from when_to_invest.writers import Writer, demand_own

EXECUTOR: Final = "executor"


class Diary:
    """One executor's view of the journal and its only way to write to it."""

    def __init__(
        self,
        journal: Journal,
        *,
        clock: Clock,
        mode: Mode,
        is_warranted: Warrant = nothing_is_warranted,
        demand_home: Callable[[], None] = lambda: None,
        shelf_in: Path | None = None,
        offload: Offload | None = None,
    ) -> None:
        self._journal = Overheard(journal)
        self._ledger = LiveLedger(self._journal, is_warranted=is_warranted, shelf_in=shelf_in)
        self.book: AccountBook = self._ledger.book
        """The account book as of the last refresh; while several decide at once, a twin of it."""
        self._recorder = Recorder(self, offload=offload or InPlace())
        self._clock = clock
        self._demand_home = demand_home
        self.mode = mode
        self._ledger.refresh()
        demand_home()
        self._epoch = self._journal.epoch

    @property
    def decisions(self) -> Decisions:
        """Return every decision as of the last refresh."""
        return self._ledger.decisions

    def open_decisions(self) -> tuple[DecisionRecord, ...]:
        """Return the decisions of which something may still come, as of the last refresh."""
        return self.decisions.open()

    @property
    def refused_messages(self) -> Collection[str]:
        """Return ids of messages that were refused and noted lately."""
        return self._journal.refused_messages

    @property
    def letters(self) -> Mapping[str, Letter]:
        """Return the dead letters by their message's id, as of the last refresh."""
        return self._journal.letterbox.letters

    @property
    def accounts(self) -> Accounts:
        """Return what each venue must hold and is known to differ in, as of the last refresh."""
        return self._journal.accounts

    @property
    def epoch(self) -> int:
        """Return which executor of this journal this one is; newer ones have higher numbers."""
        return self._epoch

    def now(self) -> datetime:
        """Return the shared clock's instant."""
        return self._clock.now()

    def now_or_last(self) -> datetime:
        """Return the clock's instant, or the journal's newest while no clock can be asked.

        Only for what tightens: a halt needs a time to be told with, not the right one.
        """
        try:
            return self.now()
        except Exception:  # noqa: BLE001 - no trouble of a clock may keep a halt from falling
            return self._ledger.newest_at or machine_time()

    def demand_forward(self) -> None:
        """Return when the clock does not stand before what the journal knows.

        Raises:
            Fault: `clock_back`; what has expired would count as live.
        """
        self._ledger.demand_forward(self.now())

    async def refresh(self) -> Head:
        """Fold what is new; check that it is this process's home and no newer executor has taken over.

        Raises:
            Fault: `already_running` when one has; `looser_limit` when others founded the home;
                `illegal_transition` while what a stranger wrote is unanswered; `journal_corrupt`.
        """
        return await self._recorder.follow()

    def follow(self) -> Head:
        """Do what `refresh` says, while no append is under way."""
        if (head := self._ledger.head) != self._journal.head():
            head = self._ledger.refresh()
        self._demand_home()
        if self._journal.is_own_epoch:
            # Announced by this executor, whether or not it has been told so yet.
            self._epoch = self._journal.epoch
        if self._journal.epoch != self._epoch:
            raise Fault(
                ErrorCode.ALREADY_RUNNING,
                f"executor epoch {self._journal.epoch} has taken over from epoch {self._epoch}",
                fix="let this one end; the newer one continues",
            )
        self._journal.strangers.demand_none()
        return head

    def allow(self, events: Sequence[ev.Event]) -> None:
        """Raise unless all of `events` are the executor's own and loosen nothing."""
        demand_own(events, Writer.EXECUTOR)
        demand_no_loosening(events, self.book)

    def append(self, events: Sequence[ev.Event], *, expected: Head) -> Head:
        """Append for the recorder; see `Journal.append`."""
        return self._journal.append(events, expected=expected)

    def catch_up(self) -> None:
        """Fold what the recorder has appended."""
        self._ledger.refresh()

    def answering(self) -> AbstractContextManager[Strangers]:
        """Hand out what strangers wrote, as `Overheard.answering`."""
        return self._journal.answering()

    async def write(
        self, decide: Callable[[], Sequence[ev.Event]], *, about: Collection[str] = ()
    ) -> Sequence[ev.Event]:
        """Append what `decide` returns on fresh state, and fold it; nothing when it is empty.

        `decide` may be called again, so it must only look. `executor.recorder` says what `about` is for.

        Raises:
            Fault: `journal_conflict` after many lost races; what `refresh`, `decide` or the journal raises.
        """
        return await self._recorder.write(decide, about=about)

    async def begin_epoch(self, *, is_clear: Callable[[], bool], resolved: int, quarantined: int) -> bool:
        """Announce this executor, if `is_clear` on fresh state; older ones are refused from then on."""

        def announce() -> Sequence[ev.Event]:
            known = _recovered(self, resolved=resolved, quarantined=quarantined)
            return (known,) if is_clear() else ()

        return bool(await self.write(announce))

    async def tighten(self, scope: str, *, state: TradingState, why: str) -> None:
        """Move `scope` to `state` unless it is that strict already; never loosens, whatever the clock is."""

        def decide() -> Sequence[ev.Event]:
            if state not in AUTOMATIC_MOVES[self.book.trading_states.get(scope, TradingState.ACTIVE)]:
                return ()
            return (_tightened(scope, state=state, why=why, at=self.now_or_last(), mode=self.mode),)

        await self.write(decide, about=(scope,))


def _recovered(diary: Diary, *, resolved: int, quarantined: int) -> ev.RecoveryCompleted:
    return ev.RecoveryCompleted(
        at=diary.now(),
        mode=diary.mode,
        epoch=diary.epoch + 1,
        resolved=resolved,
        quarantined=quarantined,
    )


def _tightened(
    scope: str, *, state: TradingState, why: str, at: datetime, mode: Mode
) -> ev.TradingStateChanged:
    return ev.TradingStateChanged(at=at, mode=mode, scope=scope, state=state, by=EXECUTOR, why=why[:200])
