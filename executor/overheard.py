"""The journal as the executor hears it: epochs, refused messages, letters, and strangers.

Stage: executor, while the journal is read. From its own epoch on only this process writes what
is the executor's alone (`when_to_invest.writers`). Whatever else of that kind stands there was
written by a stranger: it may call ended what the venue still works on. A newer epoch is no
stranger but a successor. It must never write by itself.

What an append that failed may have left behind is this process's own all the same: it is known
by its place and its content, which are set down before the append.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from ledger.journal import Head, Journal, Recorded
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.letters import Letterbox
from when_to_invest.reconciliation import Accounts
from when_to_invest.writers import is_executors_alone

MOST_REFUSED_KNOWN: Final = 20_000
"""Refused messages remembered, so that a flood of them costs no memory."""
_MOST_ATTEMPTS: Final = 16
"""Own appends remembered, so that what one left behind is recognised."""


class Strangers:
    """What others wrote as if they were the executor; unanswered until it is taken."""

    def __init__(self) -> None:
        self.first: Recorded | None = None
        self.count = 0
        self.decision_ids: set[str] = set()
        """Decisions that they wrote about."""

    def add(self, recorded: Recorded) -> None:
        """Remember one event."""
        self.first = self.first or recorded
        self.count += 1
        if (decision_id := getattr(recorded.event, "decision_id", None)) is not None:
            self.decision_ids.add(decision_id)

    def demand_none(self) -> None:
        """Return when nothing of a stranger waits for an answer.

        Raises:
            Fault: `illegal_transition`, naming the first event.
        """
        if self.first is not None:
            raise Fault(
                ErrorCode.ILLEGAL_TRANSITION,
                f"event {self.first.sequence} ({self.first.event.kind}) was not written by this executor, "
                f"and nobody else may; {self.count} such in all",
                fix="find out who writes to the journal; ask the venue about its orders, then `resume`",
            )


class Overheard:
    """A journal that tells on reading which epochs began, what was refused, and who is a stranger."""

    def __init__(self, journal: Journal) -> None:
        self.head = journal.head
        self.pick = journal.pick
        self.close = journal.close
        self._journal = journal
        self._own: deque[tuple[int, Sequence[ev.Event]]] = deque(maxlen=_MOST_ATTEMPTS)
        self.is_own_epoch = False
        self.epoch = 0
        self.strangers = Strangers()
        self.refused_messages: OrderedDict[str, None] = OrderedDict()
        self.letterbox = Letterbox()
        self.accounts = Accounts()

    def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
        """Append, remembering where each event would stand.

        Raises:
            Fault: whatever the journal raises; what it wrote all the same stays known.
        """
        if expected is not None:
            self._own.append((expected.sequence, tuple(events)))
        try:
            return self._journal.append(events, expected=expected)
        except Fault as fault:
            if fault.code is ErrorCode.JOURNAL_CONFLICT and expected is not None:
                self._own.pop()
            raise

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        """Yield what the journal holds, listening."""
        for recorded in self._journal.read(after=after):
            self._listen(recorded)
            yield recorded

    @contextmanager
    def answering(self) -> Iterator[Strangers]:
        """Hand out what strangers wrote; it is answered unless the block raises."""
        taken, self.strangers = self.strangers, Strangers()
        try:
            yield taken
        except BaseException:
            self.strangers = taken
            raise

    def _listen(self, recorded: Recorded) -> None:
        event = recorded.event
        is_own = self._is_own(recorded)
        if isinstance(event, ev.RecoveryCompleted):
            if is_own or event.epoch > self.epoch:
                # A successor recovered before it announced itself: that was no stranger either.
                self.is_own_epoch, self.strangers = is_own, Strangers()
            self.epoch = max(self.epoch, event.epoch)
        if self.is_own_epoch and not is_own and is_executors_alone(event):
            self.strangers.add(recorded)
        if isinstance(event, ev.MessageRefused):
            self._remember_refused(event.message_id)
        else:
            self.letterbox.apply(event)
            self.accounts.apply(event)

    def _is_own(self, recorded: Recorded) -> bool:
        for before, events in self._own:
            place = recorded.sequence - before - 1
            # What is folded from memory is the very event that was appended: nothing to compare.
            if 0 <= place < len(events) and (
                events[place] is recorded.event or events[place] == recorded.event
            ):
                return True
        return False

    def _remember_refused(self, message_id: str) -> None:
        """Remember it among the newest; one noted a second time after a flood does no harm."""
        self.refused_messages[message_id] = None
        if len(self.refused_messages) > MOST_REFUSED_KNOWN:
            self.refused_messages.popitem(last=False)
