"""How one stored event follows another: place, predecessor, hash and content, checked.

Used by everything that reads or writes a journal, so that no two of them disagree about what
a whole chain is. Pure; knows nothing of files or servers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from ledger import links
from ledger.in_hand import NOTHING_IN_HAND, InHand
from ledger.journal import Head, Recorded, link_hash
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import EVENT, event_from_json

StoredLink = links.StoredLink
NewLink = tuple[int, bytes, bytes, bytes]
"""The same, as it is about to be stored."""
_parsed: Final = EVENT.validator.validate_json
_as_tuple: Final = tuple.__new__
_NO_EVENT: Final = "it is no event this version knows"


@dataclass(frozen=True, slots=True)
class Broken:
    """Why an event does not follow."""

    why: str


def follow(previous: Head, stored: StoredLink) -> Recorded | Broken:
    """Return the event that follows `previous`, or why `stored` is not it."""
    place, named, claimed, event = stored
    sequence = previous.sequence + 1
    if not (isinstance(named, bytes) and isinstance(claimed, bytes) and isinstance(event, bytes)):
        return Broken("its row has other columns")
    if place != sequence:
        return Broken(f"event {place} stands in its place")
    if named.hex() != previous.hash:
        return Broken("it names another predecessor")
    own_hash = link_hash(sequence=sequence, previous_hash=previous.hash, event_canonical=event)
    if claimed.hex() != own_hash:
        return Broken("its hash is not that of its content")
    try:
        return Recorded(sequence, previous.hash, own_hash, event_from_json(event))
    except ValidationError:
        return Broken(_NO_EVENT)


def follow_all(
    previous: Head, rows: Sequence[StoredLink], *, in_hand: InHand = NOTHING_IN_HAND
) -> Iterator[Recorded]:
    """Yield the events of `rows`, each checked to follow the one before; the first follows `previous`.

    The same as `follow` for each, with what sound rows need done for all of them at once: on a
    long replay every call and every conversion counts.

    Raises:
        Fault: `journal_corrupt` at the first event that does not follow.
    """
    hashes = links.linked(*previous, rows)
    yield from events_of(previous, hashes, [row[3] for row in rows], in_hand=in_hand)  # type: ignore[misc]
    if len(hashes) < len(rows):
        last = Head(previous.sequence + len(hashes), hashes[-1] if hashes else previous.hash)
        found = follow(last, rows[len(hashes)])
        why = found.why if isinstance(found, Broken) else "it was read in two ways"
        raise corrupt(last.sequence + 1, why)


def events_of(
    previous: Head, hashes: Sequence[str], contents: Sequence[bytes], *, in_hand: InHand = NOTHING_IN_HAND
) -> Iterator[Recorded]:
    """Yield the events whose bytes were checked to be linked by `hashes`; the first follows `previous`.

    What hashes as one in hand is that very event, so it is not parsed. `contents` may hold more.

    Raises:
        Fault: `journal_corrupt` at the first that is no event.
    """
    sequence, known = previous
    for fresh, content in zip(hashes, contents, strict=False):
        sequence += 1
        parsed = in_hand.get(bytes.fromhex(fresh)) if in_hand else None
        if parsed is None:
            try:
                parsed = _parsed(content)
            except ValidationError:
                raise corrupt(sequence, _NO_EVENT) from None
        # The same as calling `Recorded`, which takes three times as long.
        yield _as_tuple(Recorded, (sequence, known, fresh, parsed))
        known = fresh


def picked(sequences: Sequence[int], rows: Iterable[StoredLink]) -> Iterator[Recorded]:
    """Yield the events of `rows`, which must stand at `sequences`; each hashes to what it says.

    Raises:
        Fault: `journal_corrupt` at the first place whose event is missing or does not check.
    """
    stored = iter(rows)
    for sequence in sequences:
        row = next(stored, None)
        if row is None:
            raise corrupt(sequence, "it is missing though it was read before")
        named = row[1].hex() if isinstance(row[1], bytes) else ""
        found = follow(Head(sequence - 1, named), row)
        if isinstance(found, Broken):
            raise corrupt(sequence, found.why)
        yield found


def links_after(head: Head, canonical: Iterable[bytes]) -> tuple[list[NewLink], Head]:
    """Return the rows that chain events' canonical bytes to `head`, and the new head."""
    links: list[NewLink] = []
    for event in canonical:
        sequence = head.sequence + 1
        fresh = link_hash(sequence=sequence, previous_hash=head.hash, event_canonical=event)
        links.append((sequence, bytes.fromhex(head.hash), bytes.fromhex(fresh), event))
        head = Head(sequence, fresh)
    return links, head


def corrupt(sequence: int, why: str) -> Fault:
    """Return the fault that names the first event that does not check."""
    return Fault(
        ErrorCode.JOURNAL_CORRUPT,
        f"event {sequence} of the journal does not check: {why}",
        fix="stop trading, run `when-to-invest journal verify`, restore the journal from a backup",
    )


def conflict(head: Head, expected: Head) -> Fault:
    """Return the fault of an append that was decided on another head."""
    return Fault(
        ErrorCode.JOURNAL_CONFLICT,
        f"the journal ends at event {head.sequence}, not at {expected.sequence} as expected",
        fix="refresh, judge again on the new state, and append again",
    )


def not_writable() -> Fault:
    """Return the fault of an append to a journal that was opened for reading."""
    return Fault(
        ErrorCode.STORAGE_FAILED,
        "the journal cannot be written from here",
        fix="check the permissions of --home, and that it was not opened for reading only",
    )
