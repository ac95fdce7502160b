"""How one stored event follows another: place, predecessor, hash and content, checked.

Used by everything that reads a journal, so that no two readers disagree about what a whole
chain is. Pure; knows nothing of files.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from ledger.journal import Head, Recorded, link_hash
from when_to_invest.events import event_from_json

StoredLink = tuple[int, object, object, object]
"""Place, predecessor's hash, own hash and event as a file holds them: nothing is known true."""


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
        return Broken("it is no event this version knows")
