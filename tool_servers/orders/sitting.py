"""Sittings of the desk: what is asked at the same moment is decided one after the other and synced once.

Whoever comes while a sitting is going on waits for the next, which then takes all that wait.
Each decision sees those before it, and nobody is answered before all of them are durable and
what the queue took of them is durable there. The journal is told that it took them by the next
sitting's append, or in one of its own when none comes for a moment. A sitting never records a decision
made on a state it did not see.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from ledger.journal import Journal, turn_at
from ledger.live import LiveLedger
from tool_servers.orders.minutes import MOST_ATTEMPTS
from tool_servers.orders.outbox import Outbox
from tool_servers.waiting_room import overloaded
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import EnvelopeQueued, Event
from when_to_invest.loosening import demand_no_loosening
from when_to_invest.portfolio import AccountBook
from when_to_invest.twin import twin_of
from when_to_invest.writers import Writer, demand_own

MOST_AT_ONCE: Final = 64
MOST_WAITING: Final = 256
"""Whoever finds as many before them is turned away at once, instead of waiting ever longer."""
_log = logging.getLogger(__name__)
Decide = Callable[[AccountBook], Sequence[Event]]
"""Looks at the book it is given and at the refreshed ledger; returns what to record, or nothing."""
Answer = TypeVar("Answer")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Request(Generic[Answer]):
    decision_id: str
    decide: Decide
    answer: Answer | None = None
    error: Exception | None = None
    is_over: bool = False
    called: threading.Event = field(default_factory=threading.Event)
    """Set when it is over, or when its own thread is to hold the next sitting."""


def _at_once(step: Callable[[], None]) -> None:
    step()


@dataclass(slots=True)
class Sittings(Generic[Answer]):
    """Settles requests from several threads; `answer` is asked once what was decided is durable."""

    journal: Journal
    ledger: LiveLedger
    outbox: Outbox
    answer: Callable[[str], Answer]
    room: threading.RLock = field(default_factory=threading.RLock)
    """Held during a sitting; whoever reads the ledger otherwise takes it too."""
    later: Callable[[Callable[[], None]], None] = _at_once
    """When a note is written that no sitting carries."""
    _waiting: deque[_Request[Answer]] = field(default_factory=deque)
    _door: threading.Lock = field(default_factory=threading.Lock)
    _is_sitting: bool = False

    def settle(self, decision_id: str, decide: Decide) -> Answer:
        """Decide, record and send, together with whatever else waits; return the answer.

        Raises:
            Fault: `overloaded` when `MOST_WAITING` wait already; `journal_conflict` when others
                wrote first `MOST_ATTEMPTS` times; or whatever `decide`, the journal or `answer`
                raises.
        """
        request: _Request[Answer] = _Request(decision_id, decide)
        if not self._goes_in(request):
            request.called.wait()
        while not request.is_over:
            try:
                with self.room:
                    self._sit(self._called_in())
            finally:
                self._hand_on(but=request)
        if request.error is not None:
            raise request.error
        if request.answer is None:
            raise Fault(ErrorCode.INTERNAL, "a request ended without an answer", fix="report this defect")
        return request.answer

    def _goes_in(self, request: _Request[Answer]) -> bool:
        """Queue up; return whether nobody sits, so that this request's thread holds the sitting."""
        with self._door:
            if len(self._waiting) >= MOST_WAITING:
                raise overloaded(len(self._waiting), most=MOST_WAITING)
            self._waiting.append(request)
            is_first, self._is_sitting = not self._is_sitting, True
            return is_first

    def _hand_on(self, *, but: _Request[Answer]) -> None:
        """Let the thread of the longest waiting request hold the next sitting."""
        with self._door:
            if not but.is_over:
                return
            if self._waiting:
                self._waiting[0].called.set()
            else:
                self._is_sitting = False

    def _called_in(self) -> list[_Request[Answer]]:
        """Take the requests that wait; two about one decision never sit together."""
        called: dict[str, _Request[Answer]] = {}
        later: list[_Request[Answer]] = []
        with self._door:
            while self._waiting and len(called) < MOST_AT_ONCE:
                request = self._waiting.popleft()
                if called.setdefault(request.decision_id, request) is not request:
                    later.append(request)
            self._waiting.extendleft(reversed(later))
        return list(called.values())

    def _sit(self, requests: Sequence[_Request[Answer]]) -> None:
        try:
            self._record(requests)
            attempted(self.outbox.send)
            for request in requests:
                if request.error is None:
                    request.answer = _tried(request, lambda request=request: self.answer(request.decision_id))  # type: ignore[misc]
        except Fault as fault:
            for request in requests:
                request.error = request.error or fault
        finally:
            for request in requests:
                request.is_over = True
                request.called.set()
        self._leave_note()

    def _leave_note(self) -> None:
        """Have it noted what the queue took, unless a sitting follows at once and carries it along."""
        if not self._waiting:
            self.later(self.note)

    def note(self) -> None:
        """Note what the queue took, unless somebody is inside or waits: then it is told with theirs."""
        if self.room.acquire(blocking=False):
            try:
                if not self._waiting:
                    attempted(self.outbox.note)
            finally:
                self.room.release()

    def _record(self, requests: Sequence[_Request[Answer]]) -> None:
        """Decide and append; when others wrote first they wait for the second time, and only then."""
        for attempt in range(MOST_ATTEMPTS):
            try:
                with turn_at(self.journal, is_needed=attempt > 0):
                    recorded = self._appended(requests)
            except Fault as fault:
                if fault.code is not ErrorCode.JOURNAL_CONFLICT:
                    raise
                continue
            if recorded:
                self.outbox.noted([event for event in recorded if isinstance(event, EnvelopeQueued)])
                self.ledger.refresh()
            return
        raise Fault(
            ErrorCode.JOURNAL_CONFLICT,
            f"other processes wrote first {MOST_ATTEMPTS} times; nothing was recorded",
            fix="send the same request again, with the same request_id",
        )

    def _appended(self, requests: Sequence[_Request[Answer]]) -> Sequence[Event]:
        head = self.ledger.refresh()
        events = self._decided(requests)
        if events:
            # First, because a decision of this sitting may seal anew what they are about.
            events = [*self.outbox.unnoted(), *events]
            self.journal.append(events, expected=head)
        return events

    def _decided(self, requests: Sequence[_Request[Answer]]) -> list[Event]:
        """Return what every request decides, each on the state that the ones before it leave."""
        is_alone = len(requests) == 1
        book = self.ledger.book if is_alone else twin_of(self.ledger.book)
        decided: list[Event] = []
        for request in requests:
            request.error = None
            events = _tried(request, lambda decide=request.decide: _allowed(decide, book)) or ()  # type: ignore[misc]
            decided += events
            for event in () if is_alone else events:
                book.apply(event)
        return decided


def _allowed(decide: Decide, book: AccountBook) -> Sequence[Event]:
    events = decide(book)
    demand_own(events, Writer.ORDERS)
    demand_no_loosening(events, book)
    return events


def attempted(step: Callable[[], object]) -> None:
    """Take a step of the outbox; what could not be sent or noted waits there, decided as it is."""
    try:
        step()
    except Fault as fault:
        _log.warning("the outbox waits: %s", fault.code.value)


def _tried(request: _Request[Answer], step: Callable[[], Result]) -> Result | None:
    """Return what a step of one request gives; its error is that request's, not its neighbours'."""
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
        request.error = error
        return None
