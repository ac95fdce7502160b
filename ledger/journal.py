"""The journal's port: an append-only chain of events, and the words it is spoken of in.

Everything that happened stands here once, in one order; state is a fold over it. An
implementation must never change, drop or reorder an event, never answer an append before
it is durable, and never hand out an event whose place in the chain does not check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, NamedTuple, Protocol, runtime_checkable

from when_to_invest.events import Event

GENESIS: Final = "0" * 64
"""What the first event names as its predecessor's hash."""


class Head(NamedTuple):
    """The newest event's place (from 1; 0 while the journal is empty) and its hash."""

    sequence: int
    hash: str


EMPTY: Final = Head(0, GENESIS)


class Recorded(NamedTuple):
    """One event in its place. `hash` covers the event, its place and its predecessor."""

    sequence: int
    previous_hash: str
    hash: str
    event: Event

    @property
    def head(self) -> Head:
        """Return the head a journal has that ends with this event."""
        return Head(self.sequence, self.hash)


class Journal(Protocol):
    """What every process writes to and folds from."""

    def head(self) -> Head:
        """Return the newest event's place and hash."""
        ...

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        """Yield the events after sequence `after`, oldest first, each link checked.

        Raises:
            Fault: `journal_corrupt` at the first event that does not check.
        """
        ...

    def pick(self, sequences: Sequence[int]) -> Iterator[Recorded]:
        """Yield the events at these places, which ascend; each checked to hash to what it says.

        Whether an event is the one that stood there before is for the caller to compare.

        Raises:
            Fault: `journal_corrupt` at the first that is missing or does not check.
        """
        ...

    def append(self, events: Sequence[Event], *, expected: Head | None = None) -> Head:
        """Record all of `events` or none, durably, and return the new head.

        Raises:
            Fault: `journal_conflict` when the head is not `expected`; `storage_failed`
                when nothing could be written.
        """
        ...

    def close(self) -> None:
        """Release what the journal holds open. Closing twice is allowed."""
        ...


@runtime_checkable
class TakesTurns(Protocol):
    """A journal in which one writer can keep the others waiting for a moment."""

    def turn(self) -> AbstractContextManager[None]:
        """Let nobody else write during the body; what it appends stands when the body has ended.

        Raises:
            Fault: `journal_conflict` when the turn does not come; as `append` at the end, and
                then nothing of the body was recorded.
        """
        ...


def turn_at(journal: Journal, *, is_needed: bool) -> AbstractContextManager[None]:
    """Return a turn at writing, where one is needed and the journal gives turns."""
    if is_needed and isinstance(journal, TakesTurns):
        return journal.turn()
    return nullcontext()


def link_hash(*, sequence: int, previous_hash: str, event_canonical: bytes) -> str:
    """Return the SHA-256 that chains an event to its place and its predecessor.

    The same as `digest({"event": ..., "previous_hash": ..., "sequence": ...})`, taken over
    the event's canonical bytes as they are stored, so that checking never re-serialises.
    """
    tail = b',"previous_hash":"%b","sequence":%d}' % (previous_hash.encode(), sequence)
    return hashlib.sha256(b'{"event":' + event_canonical + tail).hexdigest()
