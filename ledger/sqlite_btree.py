"""Strict reading of SQLite's b-trees: every byte of every page is accounted for.

Follows the published file format (sqlite.org/fileformat2.html, sections 1.5 and 2). A page
is a header, a pointer array, blank space and cells that touch; what is anything else is
damage. That is stricter than SQLite, which tolerates rubbish where it does not look, and
holds for files whose rows are only ever added, or changed without changing their size,
under `secure_delete`. One thing SQLite leaves behind even then: when a table outgrows one
page of pointers (about 400 pages), copies of moved pointers stay in the unused space of
pointer pages; so do copies of moved entries in an index, whose entries are laid in between
others. There that space is not looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ledger.sqlite_image import LOCK_PAGE, PAGE_SIZE, Image

FILE_HEADER_SIZE: Final = 100
LEAF: Final = 0x0D
_INTERIOR: Final = 0x05
_INDEX_LEAF: Final = 0x0A
_INDEX_INTERIOR: Final = 0x02
_PAGE_HEADER: Final = struct.Struct(">BHHHB")
_POINTER: Final = struct.Struct(">I")
_BLOCK: Final = struct.Struct(">HH")
_MAX_LOCAL: Final = PAGE_SIZE - 35
_INDEX_MAX_LOCAL: Final = (PAGE_SIZE - 12) * 64 // 255 - 23
_LEAST_CELL: Final = 4
_MIN_LOCAL: Final = (PAGE_SIZE - 12) * 32 // 255 - 23
_OVERFLOW_ROOM: Final = PAGE_SIZE - 4
_CONTINUES: Final = 0x80
_VARINT_MAX: Final = 9
_INTEGER_SIZES: Final = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
_FIRST_BLOB: Final = 12

Cell = bytes | str | int | None


class Damage(Exception):  # noqa: N818 - what was found, not a failure of the reader
    """A page does not read as a page this program's files can have."""

    def __init__(self, page: int, why: str) -> None:
        super().__init__(f"page {page}: {why}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its rowid and its stored columns."""

    rowid: int
    columns: tuple[Cell, ...]


@dataclass(slots=True)
class Trees:
    """Reads the tables of one image and remembers which pages they took."""

    image: Image
    taken: set[int] = field(default_factory=set)
    blemishes: list[Damage] = field(default_factory=list)
    """Damage that hid no row: space that should be blank and is not."""

    def rows(self, root: int) -> Iterator[Row]:
        """Yield a table's rows in order of rowid.

        Raises:
            Damage: the next row cannot be read.
        """
        yield from self._walk(root, is_root=True)

    def entries(self, root: int) -> Iterator[tuple[Cell, ...]]:
        """Yield an index's entries in the order they are kept in.

        Raises:
            Damage: the next entry cannot be read.
        """
        page = _Page(root, self._claim(root), kinds=(_INDEX_LEAF, _INDEX_INTERIOR))
        for start in page.starts:
            if page.kind == _INDEX_INTERIOR:
                yield from self.entries(page.pointer(start))
            entry, end = self._index_cell(page, start)
            page.ends.append(end)
            yield entry
        if page.kind == _INDEX_INTERIOR:
            yield from self.entries(page.pointer(page.start + 8))
        # Entries are laid in between others, so pages split and keep what moved away.
        self.blemishes.extend(page.blemishes(is_tidy=False))

    def unclaimed(self) -> Iterator[Damage]:
        """Yield the pages that belong to nothing, once all tables were read."""
        for number in range(1, self.image.page_count + 1):
            if number not in self.taken and number != LOCK_PAGE:
                yield Damage(number, "belongs to no table")

    def _walk(self, number: int, *, is_root: bool) -> Iterator[Row]:
        page = _Page(number, self._claim(number))
        if page.kind == LEAF:
            for start in page.starts:
                row, end = self._leaf_cell(page, start)
                page.ends.append(end)
                yield row
            is_tidy = True
        else:
            yield from self._children(page)
            is_tidy = is_root and self.image.page(page.pointer(page.start + 8))[0] == LEAF
        self.blemishes.extend(page.blemishes(is_tidy=is_tidy))

    def _children(self, page: _Page) -> Iterator[Row]:
        last: int | None = None
        for start in page.starts:
            child, key_at = page.pointer(start), start + _POINTER.size
            key, end = _varint(page.content, key_at, page.number)
            page.ends.append(end)
            for row in self._walk(child, is_root=False):
                last = row.rowid
                yield row
            if last != key:
                raise Damage(page.number, f"divides its children at row {key}, which does not end one")
        yield from self._walk(page.pointer(page.start + 8), is_root=False)

    def _leaf_cell(self, page: _Page, start: int) -> tuple[Row, int]:
        size, position = _varint(page.content, start, page.number)
        rowid, position = _varint(page.content, position, page.number)
        payload, end = self._payload(page, position, size, _local_size(size, most=_MAX_LOCAL))
        return Row(rowid, _columns(payload, page.number)), end

    def _index_cell(self, page: _Page, start: int) -> tuple[tuple[Cell, ...], int]:
        position = start + (_POINTER.size if page.kind == _INDEX_INTERIOR else 0)
        size, position = _varint(page.content, position, page.number)
        payload, end = self._payload(page, position, size, _local_size(size, most=_INDEX_MAX_LOCAL))
        return _columns(payload, page.number), max(end, start + _LEAST_CELL)

    def _payload(self, page: _Page, position: int, size: int, local: int) -> tuple[bytes, int]:
        """Return the `size` bytes from `position`, `local` of them on this page, and the cell's end."""
        end = position + local
        payload = page.content[position:end]
        if local < size:
            payload += self._overflow(page.pointer(end), size - local)
            end += _POINTER.size
        if end > PAGE_SIZE or len(payload) != size:
            raise Damage(page.number, "a row reaches beyond its page")
        return payload, end

    def _overflow(self, number: int, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0:
            page = self._claim(number)
            part = page[_POINTER.size : _POINTER.size + min(size, _OVERFLOW_ROOM)]
            size -= len(part)
            parts.append(part)
            if any(page[_POINTER.size + len(part) :]):
                self.blemishes.append(Damage(number, "the space behind a row's end is not blank"))
            following = _POINTER.unpack_from(page)[0]
            if (following == 0) != (size == 0):
                raise Damage(number, "a row's pages are linked wrongly")
            number = following
        return b"".join(parts)

    def _claim(self, number: int) -> bytes:
        if not 1 <= number <= self.image.page_count or number == LOCK_PAGE:
            raise Damage(number, "is named but does not exist")
        if number in self.taken:
            raise Damage(number, "is used twice")
        self.taken.add(number)
        return self.image.page(number)


class _Page:
    """One b-tree page, its header checked, its cells still to be read."""

    def __init__(self, number: int, content: bytes, *, kinds: tuple[int, int] = (LEAF, _INTERIOR)) -> None:
        self.number = number
        self.content = content
        self.start = FILE_HEADER_SIZE if number == 1 else 0
        header = _PAGE_HEADER.unpack_from(content, self.start)
        self.kind, self.free_block, count, self.cells_from, self.fragments = header
        if self.kind not in kinds:
            raise Damage(number, f"is of kind {self.kind}")
        self.array = self.start + (8 if self.kind == kinds[0] else 12)
        self.array_end = self.array + 2 * count
        if self.array_end > PAGE_SIZE:
            raise Damage(number, f"cannot hold {count} cells")
        self.starts = struct.unpack_from(f">{count}H", content, self.array)
        self.ends: list[int] = []
        if any(not self.array_end <= start < PAGE_SIZE - 3 for start in self.starts):
            raise Damage(number, "a cell lies outside its page")

    def pointer(self, position: int) -> int:
        """Return the page number stored at `position`."""
        if position + _POINTER.size > PAGE_SIZE:
            raise Damage(self.number, "a pointer lies outside its page")
        return int(_POINTER.unpack_from(self.content, position)[0])

    def blemishes(self, *, is_tidy: bool) -> Iterator[Damage]:
        """Yield what is wrong with the bytes that carry no cell, once the cells were read.

        `is_tidy` asks for blank unused space and no free blocks.
        """
        blocks = list(self._free_blocks())
        position, gaps = self.cells_from, b""
        for start, end in sorted([*zip(self.starts, self.ends, strict=True), *blocks]):
            if start < position:
                yield Damage(self.number, "its cells overlap")
            gaps += self.content[position:start]
            position = end
        gaps += self.content[position:]
        if position > PAGE_SIZE or len(gaps) != self.fragments:
            yield Damage(self.number, "its cells do not fill the space it says they fill")
        if any(gaps) or any(any(self.content[start + _BLOCK.size : end]) for start, end in blocks):
            yield Damage(self.number, "a removed cell is not blank")
        if is_tidy and (blocks or gaps):
            yield Damage(self.number, "has free blocks, though nothing is ever removed")
        if is_tidy and any(self.content[self.array_end : self.cells_from]):
            yield Damage(self.number, "its unused space is not blank")

    def _free_blocks(self) -> Iterator[tuple[int, int]]:
        start, least = self.free_block, self.array_end
        while start:
            if not least <= start <= PAGE_SIZE - _BLOCK.size:
                raise Damage(self.number, "a free block lies outside its page")
            following, size = _BLOCK.unpack_from(self.content, start)
            yield start, start + size
            start, least = following, start + _BLOCK.size


def sort_key(entry: tuple[Cell, ...]) -> tuple[tuple[int, bytes | int], ...]:
    """Return by what an index orders `entry`: nothing, numbers, texts, bytes (section 2.5)."""
    return tuple(_place(cell) for cell in entry)


def _place(cell: Cell) -> tuple[int, bytes | int]:
    if cell is None:
        return 0, 0
    if isinstance(cell, int):
        return 1, cell
    return (2, cell.encode()) if isinstance(cell, str) else (3, cell)


def _local_size(size: int, *, most: int) -> int:
    """Return how much of a payload of `size` bytes stands in the page (section 1.6)."""
    if size <= most:
        return size
    local = _MIN_LOCAL + (size - _MIN_LOCAL) % _OVERFLOW_ROOM
    return local if local <= most else _MIN_LOCAL


def _varint(content: bytes, position: int, page: int) -> tuple[int, int]:
    """Return the big-endian base-128 number at `position` and where it ends."""
    value = 0
    for index in range(position, min(position + _VARINT_MAX - 1, len(content))):
        byte = content[index]
        value = value << 7 | byte & 0x7F
        if byte < _CONTINUES:
            return value, index + 1
    raise Damage(page, "a number does not end")


def _columns(payload: bytes, page: int) -> tuple[Cell, ...]:
    """Return a record's columns (section 2.1)."""
    header_size, position = _varint(payload, 0, page)
    kinds: list[int] = []
    while position < header_size:
        kind, position = _varint(payload, position, page)
        kinds.append(kind)
    if position != header_size:
        raise Damage(page, "a row's header is not as long as it says")
    columns: list[Cell] = []
    for kind in kinds:
        size = _INTEGER_SIZES.get(kind, (kind - _FIRST_BLOB) // 2)
        columns.append(_column(kind, payload[position : position + max(size, 0)], page))
        position += size
    if position != len(payload):
        raise Damage(page, "a row is not as long as its columns")
    return tuple(columns)


def _column(kind: int, content: bytes, page: int) -> Cell:
    if kind == 0:
        return None
    if kind in _INTEGER_SIZES:
        return kind - 8 if kind in (8, 9) else int.from_bytes(content, "big", signed=True)
    if kind < _FIRST_BLOB:
        raise Damage(page, f"a column is of kind {kind}")
    if kind % 2 == 0:
        return content
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Damage(page, "a text is not UTF-8") from error
