"""Group commit: what is decided at the same moment is appended together and synced once.

Stage: executor → journal. Whoever comes while an append is under way waits for the next, which
takes all that wait. Each decision is made on the state that the ones before it leave, and
nobody is answered before all of them are durable. Who only looks is answered between two
appends. It must never record what was decided on a state that it did not see.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from executor.offload import Offload
from ledger.journal import Head
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.portfolio import AccountBook
from when_to_invest.twin import twin_of

ATTEMPTS: Final = 50
"""Appends tried against other writers before giving up; each one means that somebody wrote."""
MOST_AT_ONCE: Final = 64
Decide = Callable[[], Sequence[ev.Event]]
"""Looks at the diary's present state and returns what to record, or nothing. It only looks."""


class State(Protocol):
    """What is decided on, and where it is recorded."""

    book: AccountBook
    """May be replaced by a twin while several decide one after the other."""

    def follow(self) -> Head:
        """Fold what is new and return the head, or raise when this executor may write no more."""
        ...

    def allow(self, events: Sequence[ev.Event]) -> None:
        """Raise when not all of these events may be written by this executor on this state."""
        ...

    def append(self, events: Sequence[ev.Event], *, expected: Head) -> Head:
        """Append at `expected` or raise `journal_conflict`; called off the loop."""
        ...

    def catch_up(self) -> None:
        """Fold what was appended."""
        ...


@dataclass(slots=True, eq=False)
class _Request:
    decide: Decide
    about: Collection[str]
    """Two requests about the same thing never sit together; none at all means that it sits alone."""
    events: Sequence[ev.Event] = ()
    error: Exception | None = None
    is_over: bool = False


class Recorder:
    """Settles requests of several tasks of one loop."""

    def __init__(self, state: State, *, offload: Offload) -> None:
        self._state = state
        self._offload = offload
        self._waiting: deque[_Request] = deque()
        self._lookers: list[asyncio.Future[Head]] = []
        """Who waits to look; whoever holds the door answers them before the next append, or leaves none."""
        self._door = asyncio.Lock()
        """Held while anything is folded, decided or appended."""

    async def follow(self) -> Head:
        """Fold what is new, once no append of ours is under way.

        Raises:
            Fault: as `State.follow`.
        """
        if not self._door.locked():
            return self._followed()
        looker: asyncio.Future[Head] = asyncio.get_running_loop().create_future()
        self._lookers.append(looker)
        return await looker

    async def write(self, decide: Decide, *, about: Collection[str]) -> Sequence[ev.Event]:
        """Decide and record, together with whatever else waits; return what was recorded of it.

        `about` names the decisions, messages or instruments of which `decide` reads more than
        the account book.

        Raises:
            Fault: `journal_conflict` after many lost races; what the state, `decide` or the
                journal raises. What fails of one decision alone leaves the others as they are.
        """
        request = _Request(decide, about)
        self._waiting.append(request)
        try:
            async with self._door:
                try:
                    while not request.is_over:
                        await self._sit(self._called_in())
                finally:
                    self._answer_lookers()
        except BaseException:
            with suppress(ValueError):
                self._waiting.remove(request)
            raise
        if request.error is not None:
            raise request.error
        return request.events

    def _followed(self) -> Head:
        """Fold what is new, once for all who wait to look."""
        lookers, self._lookers = self._lookers, []
        try:
            head = self._state.follow()
        except BaseException as error:
            for looker in lookers:
                if not looker.done():
                    looker.set_exception(error)
            raise
        for looker in lookers:
            if not looker.done():
                looker.set_result(head)
        return head

    def _answer_lookers(self) -> None:
        """Answer who waits to look, each with what there is or with what went wrong."""
        if self._lookers:
            with suppress(Exception):
                self._followed()

    def _called_in(self) -> list[_Request]:
        """Take those that may sit together, in their order; none overtakes another about the same."""
        called: list[_Request] = []
        later: list[_Request] = []
        spoken_of: set[str] = set()
        while self._waiting and len(called) < MOST_AT_ONCE:
            request = self._waiting.popleft()
            if not request.about:
                (later if called or later else called).append(request)
                break
            (called if spoken_of.isdisjoint(request.about) else later).append(request)
            spoken_of.update(request.about)
        self._waiting.extendleft(reversed(later))
        return called

    async def _sit(self, requests: Sequence[_Request]) -> None:
        try:
            await self._record(requests)
        except Exception as error:  # noqa: BLE001 - raised again in the tasks that asked
            for request in requests:
                request.error = request.error or error
        except BaseException:
            # Who appends for all is broken off; the others decide anew, on whatever was recorded.
            self._waiting.extendleft(reversed(requests))
            raise
        for request in requests:
            request.is_over = True

    async def _record(self, requests: Sequence[_Request]) -> None:
        for _ in range(ATTEMPTS):
            head = self._followed()
            events = self._decided(requests)
            if not events:
                return
            try:
                await self._offload.run(lambda: self._state.append(events, expected=head))  # noqa: B023 - awaited here
            except Fault as fault:
                if fault.code is not ErrorCode.JOURNAL_CONFLICT:
                    raise
                continue
            self._state.catch_up()
            return
        raise Fault(
            ErrorCode.JOURNAL_CONFLICT,
            f"{ATTEMPTS} appends in a row lost the race to other writers",
            fix="try again; look for a process that writes without pause",
        )

    def _decided(self, requests: Sequence[_Request]) -> list[ev.Event]:
        """Return what every request decides, each on the book that the ones before it leave."""
        is_alone = len(requests) == 1
        decided: list[ev.Event] = []
        book = self._state.book
        try:
            self._state.book = book if is_alone else twin_of(book)
            for request in requests:
                request.error, request.events = None, ()
                try:
                    request.events = request.decide()
                    self._state.allow(request.events)
                except Exception as error:  # noqa: BLE001 - raised again in the task that asked
                    request.error, request.events = error, ()
                decided += request.events
                for event in () if is_alone else request.events:
                    self._state.book.apply(event)
        finally:
            self._state.book = book
        return decided
