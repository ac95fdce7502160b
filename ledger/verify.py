"""Checks a journal's file from outside: every event's place and hash, and every other byte.

Reads the file without SQLite, takes no lock, changes nothing. Every page must be one this
program's journal can have, every event must chain to its predecessor, and the newest event
must be the one that the head record and the witness name.

What it cannot see: unused space in pages of pointers, once a table has more than one such
page (`sqlite_btree`); a file system that lost the newest events together with the witness,
or before it was written; a history rewritten whole, with every hash, by somebody who may
write both files. Against the last, keep a witnessed head elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger import journal_schema as schema
from ledger.chain import Broken, follow
from ledger.journal import EMPTY, Head
from ledger.sqlite_btree import Cell, Damage, Row, Trees, sort_key
from ledger.sqlite_header import header_problems, is_sqlite, layout_number, writer_version
from ledger.sqlite_image import Image, read_image
from ledger.sqlite_layout import newer
from ledger.witness import read_witness
from when_to_invest.errors import ErrorCode, Fault

_CATALOGUE_ROOT: Final = 1
_EVENT_COLUMNS: Final = 4


@dataclass(frozen=True, slots=True)
class FirstBad:
    """The first thing that does not check; `sequence` is none when it hit no event."""

    sequence: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found. `events` and `head` describe the part that checks."""

    ok: bool
    events: int
    head: Head
    first_bad: FirstBad | None
    is_tail_witnessed: bool
    """Whether a witness could show that the newest events are missing."""


def verify_journal(path: Path) -> Verification:
    """Check the journal at `path`, which may be in use.

    Raises:
        Fault: `journal_unreadable` when there is no journal to check.
    """
    # INVARIANT: the witness is read first, so a journal in use is never behind it.
    witness, complaint = _witness(path)
    image = read_image(path)
    if not is_sqlite(image):
        return _unlike_a_journal(path, witness)
    audit = _Audit(Trees(image), _layout(image), witness)
    bad = audit.first_bad_event()
    if bad is None:
        bad = next((FirstBad(None, why) for why in [*complaint, *audit.other_problems(image)]), None)
    return Verification(bad is None, audit.head.sequence, audit.head, bad, witness is not None)


def _layout(image: Image) -> schema.Layout:
    """Return the layout that the file says it has, or the newest when it names none that is known.

    Raises:
        Fault: `journal_unreadable` when its catalogue too is what a newer version adds to.
    """
    number = layout_number(image)
    layout = schema.layout_of(number) or schema.latest()
    if number > layout.number and _extends(image, layout):
        raise newer(number)
    return layout


def _extends(image: Image, layout: schema.Layout) -> bool:
    try:
        rows = [row.columns for row in Trees(image).rows(_CATALOGUE_ROOT)]
    except Damage:
        return False
    known = len(layout.catalogue)
    return len(rows) > known and _has_catalogue(rows[:known], layout)


def _has_catalogue(found: Sequence[tuple[Cell, ...]], layout: schema.Layout) -> bool:
    """Whether these rows are the layout's; where a root page is free, any behind the first ones."""
    return len(found) == len(layout.catalogue) and all(
        _is_row(theirs, mine) for theirs, mine in zip(found, layout.catalogue, strict=True)
    )


def _is_row(theirs: tuple[Cell, ...], mine: schema.CatalogueRow) -> bool:
    if mine[3] is None and len(theirs) == len(mine) and isinstance(theirs[3], int):
        theirs = (*theirs[:3], None, theirs[4])
    return theirs == mine


def _witness(path: Path) -> tuple[Head | None, list[str]]:
    try:
        return read_witness(path), []
    except Fault as fault:
        if fault.code is not ErrorCode.JOURNAL_CORRUPT:
            raise
        return None, [fault.message]


def _unlike_a_journal(path: Path, witness: Head | None) -> Verification:
    if witness is None:
        raise Fault(
            ErrorCode.JOURNAL_UNREADABLE,
            f"{path.name} is no journal",
            fix="point --home at a directory this program made",
        )
    bad = FirstBad(1 if witness.sequence else None, "the file is no SQLite file any more")
    return Verification(False, 0, EMPTY, bad, is_tail_witnessed=True)


@dataclass(slots=True)
class _Audit:
    """Walks the tables of one image; `head` is the last event that checked."""

    trees: Trees
    layout: schema.Layout
    witness: Head | None
    head: Head = EMPTY
    entries: dict[str, list[schema.Entry]] = field(default_factory=dict)
    """What each index must hold, by the events that checked."""

    def first_bad_event(self) -> FirstBad | None:
        """Return the first event that does not check, by chain, head record or witness."""
        try:
            for row in self.trees.rows(schema.EVENTS_ROOT):
                why = self._event_problem(row)
                if why is not None:
                    return FirstBad(self.head.sequence + 1, why)
        except Damage as damage:
            return FirstBad(self.head.sequence + 1, str(damage))
        return self._missing_tail()

    def other_problems(self, image: Image) -> Iterator[str]:
        """Yield what is wrong though every event checks."""
        yield from header_problems(image, self.layout)
        yield from self._catalogue_problems()
        yield from self._head_problems()
        yield from self._writer_problems(writer_version(image))
        yield from map(str, self.trees.blemishes)
        yield from map(str, self.trees.unclaimed())

    def _event_problem(self, row: Row) -> str | None:
        if len(row.columns) != _EVENT_COLUMNS or row.columns[0] is not None:
            return "its row has other columns"
        _, previous_hash, own_hash, event = row.columns
        followed = follow(self.head, (row.rowid, previous_hash, own_hash, event))
        if isinstance(followed, Broken):
            return followed.why
        if self._is_contradicted(followed.head):
            return "the witness saw another event in its place"
        self.head = followed.head
        for index in self.layout.indexes:
            rows = index.entries(followed.sequence, followed.event)
            self.entries.setdefault(index.name, []).extend(rows)
        return None

    def _is_contradicted(self, head: Head) -> bool:
        seen = self.witness
        return seen is not None and seen.sequence == head.sequence and seen != head

    def _missing_tail(self) -> FirstBad | None:
        if self.witness is not None and self.witness.sequence > self.head.sequence:
            return FirstBad(self.head.sequence + 1, "it is missing though the witness saw it")
        return None

    def _head_problems(self) -> Iterator[str]:
        rows = self._rows(schema.HEAD_ROOT)
        if rows != [Row(1, (None, schema.head_record(self.head)))]:
            yield "the head record does not name the last event"

    def _catalogue_problems(self) -> Iterator[str]:
        rows = self._rows(_CATALOGUE_ROOT)
        if isinstance(rows, str) or [row.rowid for row in rows] != list(range(1, len(rows) + 1)):
            yield "the file's catalogue is damaged"
            return
        found = [row.columns for row in rows]
        if not _has_catalogue(found, self.layout):
            yield "the file's catalogue is not a journal's"
            return
        roots = {str(row[1]): row[3] for row in found}
        for index in self.layout.indexes:
            yield from self._index_problems(index.name, roots[index.name])

    def _index_problems(self, name: str, root: Cell) -> Iterator[str]:
        expected = sorted(self.entries.get(name, []), key=sort_key)
        try:
            found = list(self.trees.entries(root)) if isinstance(root, int) else []
        except Damage as damage:
            yield f"the index {name}: {damage}"
            return
        if found != expected:
            yield f"the index {name} does not follow from the events"

    def _writer_problems(self, version: int) -> Iterator[str]:
        rows = self._rows(schema.WRITERS_ROOT)
        if isinstance(rows, str) or any(row.columns != (None, row.rowid) for row in rows):
            yield "the record of writers is damaged"
        elif version not in {row.rowid for row in rows}:
            yield "header: was written by a version of SQLite that never wrote here"

    def _rows(self, root: int) -> list[Row] | str:
        try:
            return list(self.trees.rows(root))
        except Damage as damage:
            return str(damage)
