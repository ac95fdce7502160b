"""The program that reads a long journal ahead of the process that folds it (`ledger.read_ahead`).

Fetches and checks, and hands on only what follows; knows no events, judges nothing, writes to
no file. It ends when nothing follows, when something does not check, or when nobody reads on.
Imports nothing slow, so that it is there before much was read without it.
"""

from __future__ import annotations

import marshal
import sqlite3
import sys
from typing import Final

from ledger.links import linked

READY: Final = b"r"
SIZE_BYTES: Final = 8
"""Of a block's size, before the block."""
_BATCH: Final = 256
AFTER: Final = (
    "SELECT sequence, previous_hash, hash, event FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?"
)


def main(uri: str) -> None:
    """Say that it is ready, hear after which event to begin, and write block after block.

    Heard is the event's sequence and hash in one line; a block is a list of hashes and a list
    of the events' bytes.
    """
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    told = sys.stdout.buffer
    told.write(READY)
    told.flush()
    place, _, known = sys.stdin.readline().strip().partition(" ")
    if not known:
        return
    sequence = int(place)
    while rows := connection.execute(AFTER, (sequence, _BATCH)).fetchall():
        hashes = linked(sequence, known, rows)
        block = marshal.dumps((hashes, [row[3] for row in rows[: len(hashes)]]))
        told.write(len(block).to_bytes(SIZE_BYTES, "little"))
        told.write(block)
        told.flush()
        if len(hashes) < len(rows):
            return
        sequence, known = sequence + len(rows), hashes[-1]
