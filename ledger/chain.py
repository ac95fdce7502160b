"""How one stored event follows another: place, predecessor, hash and content, checked.

Used by everything that reads a journal, so that no two readers disagree about what a whole
chain is. Pure; knows nothing of files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydantic import ValidationError

from ledger.journal import Head, Recorded
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


def link_hash(*, sequence: int, previous_hash: str, event_canonical: bytes) -> str:
    """Return the SHA-256 that chains an event to its place and its predecessor.

    The same as `digest({"event": ..., "previous_hash": ..., "sequence": ...})`, taken over
    the event's canonical bytes as they are stored, so that checking never re-serialises.
    """
    tail = b',"previous_hash":"%b","sequence":%d}' % (previous_hash.encode(), sequence)
    return hashlib.sha256(b'{"event":' + event_canonical + tail).hexdigest()


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
