"""How one stored event follows another: place, predecessor, hash and content, checked.

Used by everything that reads a journal, so that no two readers disagree about what a whole
chain is. Pure; knows nothing of files.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from ledger.journal import Head, Recorded, link_hash
from when_to_invest.events import event_from_json


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as a file holds it: nothing about it is known to be true."""

    sequence: int
    previous_hash: bytes
    hash: bytes
    event: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """Why an event does not follow."""

    why: str


def follow(previous: Head, stored: Stored) -> Recorded | Broken:
    """Return the event that follows `previous`, or why `stored` is not it."""
    sequence = previous.sequence + 1
    if stored.sequence != sequence:
        return Broken(f"event {stored.sequence} stands in its place")
    if stored.previous_hash.hex() != previous.hash:
        return Broken("it names another predecessor")
    own_hash = link_hash(sequence=sequence, previous_hash=previous.hash, event_canonical=stored.event)
    if stored.hash.hex() != own_hash:
        return Broken("its hash is not that of its content")
    try:
        event = event_from_json(stored.event)
    except ValidationError:
        return Broken("it is no event this version knows")
    return Recorded(sequence, previous.hash, own_hash, event)
