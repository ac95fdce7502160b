"""A SQLite file as its pages, read without SQLite: the file overlaid by its write-ahead log.

Follows the published file format (sqlite.org/fileformat2.html, sections 1.3 and 4). Only
reads, takes no lock and makes no file, so it can look at a journal on a read-only disk and
at one that is being written. Knows nothing of tables.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from when_to_invest.errors import ErrorCode, Fault

PAGE_SIZE: Final = 4096
WAL_SUFFIX: Final = "-wal"
_WAL_HEADER: Final = struct.Struct(">8I")
_FRAME_HEADER: Final = struct.Struct(">6I")
_WAL_FORMAT: Final = 3007000
_MAGIC_LITTLE: Final = 0x377F0682
_MAGIC_BIG: Final = 0x377F0683
_WORD: Final = 0xFFFFFFFF
_TRIES: Final = 20
LOCK_PAGE: Final = 0x40000000 // PAGE_SIZE + 1
"""The page that holds the lock bytes; SQLite never stores anything in it."""


@dataclass(frozen=True, slots=True)
class Image:
    """The pages a reader of the file sees, from 1; `spare` bytes fit no page."""

    content: bytes
    overlay: dict[int, bytes]
    page_count: int
    spare: int

    def page(self, number: int) -> bytes:
        """Return the page `number` (1 to `page_count`)."""
        changed = self.overlay.get(number)
        if changed is not None:
            return changed
        return self.content[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]


def read_image(path: Path) -> Image:
    """Return what a reader of the file would see now.

    A file that is being checkpointed is read again until it stands still.

    Raises:
        Fault: `journal_unreadable` when the file cannot be read.
    """
    wal_path = path.with_name(path.name + WAL_SUFFIX)
    content = _bytes_of(path)
    for _ in range(_TRIES):
        wal = _bytes_of(wal_path) if wal_path.exists() else b""
        again = _bytes_of(path)
        if again == content:
            return _overlaid(content, wal)
        content = again
    raise Fault(
        ErrorCode.JOURNAL_UNREADABLE,
        f"{path.name} changes faster than it can be read",
        fix="stop the services (`when-to-invest down`) and try again",
    )


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Fault(
            ErrorCode.JOURNAL_UNREADABLE,
            f"{path.name} cannot be read: {error.strerror}",
            fix="check that the file exists in --home and is readable",
        ) from error


def _overlaid(content: bytes, wal: bytes) -> Image:
    overlay: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    page_count, spare = divmod(len(content), PAGE_SIZE)
    for number, size_after_commit, page in _frames(wal):
        pending[number] = page
        if size_after_commit:
            overlay.update(pending)
            pending.clear()
            page_count, spare = size_after_commit, 0
    return Image(content, overlay, page_count, spare)


def _frames(wal: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (page number, size after commit or 0, page) up to the first invalid frame."""
    if len(wal) < _WAL_HEADER.size:
        return
    magic, version, page_size, _, salt_1, salt_2, *sums = _WAL_HEADER.unpack_from(wal)
    order = {_MAGIC_LITTLE: "<", _MAGIC_BIG: ">"}.get(magic)
    if order is None or version != _WAL_FORMAT or page_size != PAGE_SIZE:
        return
    state = _summed(wal[:24], order, (0, 0))
    if state != tuple(sums):
        return
    frame_size = _FRAME_HEADER.size + PAGE_SIZE
    for start in range(_WAL_HEADER.size, len(wal) - frame_size + 1, frame_size):
        number, size_after_commit, *check = _FRAME_HEADER.unpack_from(wal, start)
        page = wal[start + _FRAME_HEADER.size : start + frame_size]
        state = _summed(wal[start : start + 8] + page, order, state)
        if check != [salt_1, salt_2, *state]:
            return
        yield number, size_after_commit, page


def _summed(content: bytes, order: str, start: tuple[int, int]) -> tuple[int, int]:
    """Return the log's running checksum (section 4.2 of the format) after `content`."""
    first, second = start
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for index in range(0, len(words), 2):
        first = (first + words[index] + second) & _WORD
        second = (second + words[index + 1] + first) & _WORD
    return first, second
