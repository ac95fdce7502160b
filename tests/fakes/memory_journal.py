"""A journal in memory with the real chain and the real conflict; it outlives our "process"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.journal import EMPTY, Head, Recorded, link_hash
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import Event


class MemoryJournal:
    """Implements `Journal`."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []

    def head(self) -> Head:
        return self.recorded[-1].head if self.recorded else EMPTY

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        yield from self.recorded[after:]

    def pick(self, sequences: Sequence[int]) -> Iterator[Recorded]:
        yield from (self.recorded[sequence - 1] for sequence in sequences)

    def append(self, events: Sequence[Event], *, expected: Head | None = None) -> Head:
        head = self.head()
        if expected is not None and expected != head:
            raise Fault(ErrorCode.JOURNAL_CONFLICT, "somebody wrote first", fix="try again")
        links = []
        for event in events:
            fresh = link_hash(
                sequence=head.sequence + 1, previous_hash=head.hash, event_canonical=event.canonical()
            )
            links.append(Recorded(head.sequence + 1, head.hash, fresh, event))
            head = links[-1].head
        self.recorded.extend(links)
        return head

    def close(self) -> None:
        """Nothing is held open."""
