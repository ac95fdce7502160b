"""Reads a journal out of a file that left its store: our JSON lines, or a plain `pg_dump`.

Nothing is believed here: what comes out goes to `ledger.checking`, which checks the chain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from ledger.chain import StoredLink
from when_to_invest.canonical import plain_canonical_bytes
from when_to_invest.errors import ErrorCode, Fault

_COPY: Final = re.compile(rb"COPY journal\.events \(([a-z_, ]+)\) FROM stdin;\s*")
_COLUMNS: Final = (b"sequence", b"previous_hash", b"hash", b"event")
_END: Final = b"\\."
_NOTHING: Final[StoredLink] = (-1, None, None, None)
"""A row that cannot be read: it follows no event."""


def links_in(path: Path) -> Iterator[StoredLink]:
    """Yield the events that the file at `path` holds, in its order, nothing checked.

    Raises:
        Fault: `journal_unreadable` when the file cannot be read or is no such export.
    """
    try:
        with path.open("rb") as file:
            is_lines = file.read(1) == b"{"
            file.seek(0)
            yield from (map(_from_json, file) if is_lines else _copied(file, path))
    except OSError as error:
        raise Fault(
            ErrorCode.JOURNAL_UNREADABLE,
            f"{path.name} cannot be read: {error.strerror}",
            fix="check the path and its permissions",
        ) from error


def _from_json(line: bytes) -> StoredLink:
    with suppress(ValueError, KeyError, TypeError):
        row = json.loads(line)
        return (
            int(row["sequence"]),
            bytes.fromhex(row["previous_hash"]),
            bytes.fromhex(row["hash"]),
            plain_canonical_bytes(row["event"]),
        )
    return _NOTHING


def _copied(file: IO[bytes], path: Path) -> Iterator[StoredLink]:
    places = _places(file, path)
    for line in file:
        if line.rstrip(b"\r\n") == _END:
            return
        yield _from_copy(line, places)
    yield _NOTHING  # a dump that was cut off has no end


def _places(file: IO[bytes], path: Path) -> list[int]:
    """Find where the events start, and return at which place each of our columns stands."""
    for line in file:
        match = _COPY.fullmatch(line)
        if match is not None:
            columns = match[1].split(b", ")
            with suppress(ValueError):
                return [columns.index(name) for name in _COLUMNS]
    raise Fault(
        ErrorCode.JOURNAL_UNREADABLE,
        f"{path.name} holds no journal",
        fix="give a file made by `journal export`, or a plain pg_dump of the journal's database",
    )


def _from_copy(line: bytes, places: list[int]) -> StoredLink:
    cells = line.rstrip(b"\r\n").split(b"\t")
    with suppress(ValueError, IndexError):
        sequence, previous_hash, own_hash, event = (cells[place] for place in places)
        return int(sequence), _bytea(previous_hash), _bytea(own_hash), _bytea(event)
    return _NOTHING


def _bytea(cell: bytes) -> bytes:
    if not cell.startswith(b"\\\\x"):
        raise ValueError("no bytea in hexadecimal form")
    return bytes.fromhex(cell[3:].decode("ascii"))
