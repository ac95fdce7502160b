"""The first hundred bytes of a journal's file, field by field (section 1.3 of the format)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ledger.journal_schema import APPLICATION_ID, Layout
from ledger.sqlite_image import PAGE_SIZE, Image

_MAGIC: Final = b"SQLite format 3\x00"
_ENOUGH: Final = 8
_FIELDS: Final = struct.Struct(">16sH6B12I20s2I")
_WAL: Final = 2
_SCHEMA_FORMAT: Final = 4
_UTF_8: Final = 1


@dataclass(frozen=True, slots=True)
class _Header:
    magic: bytes
    page_size: int
    write_version: int
    read_version: int
    reserved: int
    max_fraction: int
    min_fraction: int
    leaf_fraction: int
    change_counter: int
    page_count: int
    first_free_page: int
    free_pages: int
    schema_cookie: int
    schema_format: int
    cache_size: int
    largest_root: int
    encoding: int
    user_version: int
    incremental_vacuum: int
    application_id: int
    blank: bytes
    valid_for: int
    writer_version: int


def is_sqlite(image: Image) -> bool:
    """Whether the file is, or was before it was damaged, one of SQLite's."""
    if image.page_count == 0:
        return False
    found = image.page(1)[: len(_MAGIC)]
    return sum(mine == theirs for mine, theirs in zip(_MAGIC, found, strict=True)) >= _ENOUGH


def writer_version(image: Image) -> int:
    """Return the SQLite version that last wrote the first page."""
    return _header(image).writer_version


def layout_number(image: Image) -> int:
    """Return the number of the layout that the file says it has."""
    return _header(image).user_version


def header_problems(image: Image, layout: Layout) -> Iterator[str]:
    """Yield each field that a journal's file of this layout cannot have."""
    found = _header(image)
    expected = _Header(
        magic=_MAGIC,
        page_size=PAGE_SIZE,
        write_version=_WAL,
        read_version=_WAL,
        reserved=0,
        max_fraction=64,
        min_fraction=32,
        leaf_fraction=32,
        change_counter=found.valid_for,
        page_count=image.page_count,
        first_free_page=0,
        free_pages=0,
        schema_cookie=layout.schema_cookie,
        schema_format=_SCHEMA_FORMAT,
        cache_size=0,
        largest_root=0,
        encoding=_UTF_8,
        user_version=layout.number,
        incremental_vacuum=0,
        application_id=APPLICATION_ID,
        blank=bytes(20),
        valid_for=found.valid_for,
        writer_version=found.writer_version,
    )
    for name in _Header.__slots__:
        if getattr(found, name) != getattr(expected, name):
            yield f"header: {name.replace('_', ' ')} is not a journal's"
    if image.spare:
        yield f"the file ends with {image.spare} bytes that are no page"


def _header(image: Image) -> _Header:
    return _Header(*_FIELDS.unpack_from(image.page(1)))
