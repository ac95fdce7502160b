"""Whether stored rows follow one another: place, predecessor and hash, over the bytes as they lie.

Stage: under `ledger.chain`, which says why a row does not follow and makes events of the bytes.
Imports nothing of ours and nothing slow: a process that reads ahead starts with this alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

StoredLink = tuple[int, object, object, object]
"""Place, predecessor's hash, own hash and event as a file holds them: nothing is known true."""


def linked(sequence: int, known: str, rows: Sequence[StoredLink]) -> list[str]:
    """Return the hashes of `rows`, as far as each follows the one before.

    The first follows the event at `sequence`, whose hash is `known`, 64 hex digits.
    """
    found: list[str] = []
    before: object = bytes.fromhex(known)
    named_text = known.encode()
    # To copy a hash that has begun takes half of what beginning one does, and no event is copied.
    begun = sha256(b'{"event":').copy
    for place, named, claimed, event in rows:
        sequence += 1
        if place != sequence or named != before or type(event) is not bytes:
            break
        own = begun()
        own.update(event)
        own.update(b',"previous_hash":"%b","sequence":%d}' % (named_text, sequence))
        before = own.digest()
        if claimed != before:
            break
        fresh = own.hexdigest()
        found.append(fresh)
        named_text = fresh.encode()
    return found
