"""The journal's tables, the constants by which its file is recognised, and how its layout moves.

The layout is chosen so that `ledger.verify` can account for every byte of the file: rowid
tables without indexes, rows that never change their size, removed content blanked. The
file format is part of the promise: a change is a new entry of `MIGRATIONS`, which adds
indexes that follow from the events alone. Nothing that is released ever changes here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ledger.journal import GENESIS, Head
from when_to_invest.events import Event

APPLICATION_ID: Final = 0x5754494A
"""The letters WTIJ in the file's header."""
EVENTS_ROOT: Final = 2
HEAD_ROOT: Final = 3
WRITERS_ROOT: Final = 4
HEAD_SIZE: Final = 40

_EVENTS: Final = (
    "CREATE TABLE events (sequence INTEGER PRIMARY KEY, previous_hash BLOB NOT NULL,"
    " hash BLOB NOT NULL, event BLOB NOT NULL)"
)
_HEAD: Final = "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), record BLOB NOT NULL)"
# SQLite writes the version of whoever wrote last into the file's header. The versions that
# ever wrote, each twice, are what that field is checked against.
_WRITERS: Final = "CREATE TABLE writers (version INTEGER PRIMARY KEY, again INTEGER NOT NULL)"
_REFUSE: Final = "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
_EVENTS_STAY: Final = f"CREATE TRIGGER events_stay BEFORE DELETE ON events {_REFUSE}"
_EVENTS_HOLD: Final = f"CREATE TRIGGER events_hold BEFORE UPDATE ON events {_REFUSE}"
_HEAD_STAYS: Final = f"CREATE TRIGGER head_stays BEFORE DELETE ON head {_REFUSE}"
_HEAD_ADVANCES: Final = (
    "CREATE TRIGGER head_advances BEFORE UPDATE ON head WHEN NEW.id <> OLD.id OR NEW.record <= OLD.record"
    f" {_REFUSE}"
)

CatalogueRow = tuple[str, str, str, int | None, str]
"""Type, name, table, root page (none: anywhere) and statement, as SQLite's own catalogue has them."""
_FIRST: Final[tuple[CatalogueRow, ...]] = (
    ("table", "events", "events", EVENTS_ROOT, _EVENTS),
    ("table", "head", "head", HEAD_ROOT, _HEAD),
    ("table", "writers", "writers", WRITERS_ROOT, _WRITERS),
    ("trigger", "events_stay", "events", 0, _EVENTS_STAY),
    ("trigger", "events_hold", "events", 0, _EVENTS_HOLD),
    ("trigger", "head_stays", "head", 0, _HEAD_STAYS),
    ("trigger", "head_advances", "head", 0, _HEAD_ADVANCES),
)
_FIRST_ROWS: Final = "INSERT INTO head VALUES (1, zeroblob(40))"

Entry = tuple[bytes | str | int, ...]
"""One row of an index: a value a column."""


@dataclass(frozen=True, slots=True)
class Index:
    """A table of keys by which events are found; it holds nothing that they do not say.

    Its rows are written with the event they belong to, by whoever appends, and compared with
    the events, each and in order, by `ledger.verify`.
    """

    name: str
    columns: tuple[str, ...]
    """Name and type of each, e.g. `decision_id TEXT`; all of them together are the key."""
    entries: Callable[[int, Event], Iterable[Entry]]
    """The rows of one event, given its place: pure, and the same for ever."""

    @property
    def catalogue(self) -> tuple[CatalogueRow, ...]:
        """Return the table and the triggers that let nothing be taken out of it or changed."""
        declared = ", ".join(f"{column} NOT NULL" for column in self.columns)
        key = ", ".join(column.split()[0] for column in self.columns)
        table = f"CREATE TABLE {self.name} ({declared}, PRIMARY KEY ({key})) WITHOUT ROWID"
        stay, hold = f"{self.name}_stay", f"{self.name}_hold"
        return (
            ("table", self.name, self.name, None, table),
            ("trigger", stay, self.name, 0, f"CREATE TRIGGER {stay} BEFORE DELETE ON {self.name} {_REFUSE}"),
            ("trigger", hold, self.name, 0, f"CREATE TRIGGER {hold} BEFORE UPDATE ON {self.name} {_REFUSE}"),
        )

    @property
    def insertion(self) -> str:
        """Return the statement that adds one entry."""
        return f"INSERT INTO {self.name} VALUES ({', '.join('?' * len(self.columns))})"  # noqa: S608 - ours

    def of(self, events: Iterable[Event], *, after: int) -> Iterator[Entry]:
        """Yield the rows of `events`, the first of which stands right behind place `after`."""
        for sequence, event in enumerate(events, start=after + 1):
            yield from self.entries(sequence, event)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step forward. What it adds never changes once released."""

    number: int
    what: str
    indexes: tuple[Index, ...] = ()


MIGRATIONS: Final[tuple[Migration, ...]] = (Migration(1, "events, head and writers"),)
"""Every layout this program knows, each the one before it and what it adds. Append only."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file holds that was brought up to migration `number`."""

    number: int
    indexes: tuple[Index, ...]

    @property
    def catalogue(self) -> tuple[CatalogueRow, ...]:
        """Return the rows of SQLite's catalogue, in order."""
        return (*_FIRST, *(row for index in self.indexes for row in index.catalogue))

    @property
    def statements(self) -> tuple[str, ...]:
        """Return what lays out an empty file."""
        return (*(row[-1] for row in self.catalogue), _FIRST_ROWS)

    @property
    def schema_cookie(self) -> int:
        """Return how often the catalogue changed, as the file's header counts it."""
        return len(self.catalogue)


def latest() -> Layout:
    """Return the layout that this version writes and reads."""
    return Layout(MIGRATIONS[-1].number, tuple(index for step in MIGRATIONS for index in step.indexes))


def layout_of(number: int) -> Layout | None:
    """Return the layout called `number`; none when this version does not know it."""
    if not 1 <= number <= MIGRATIONS[-1].number:
        return None
    return Layout(number, tuple(index for step in MIGRATIONS[:number] for index in step.indexes))


def head_record(head: Head) -> bytes:
    """Return the 40 bytes in which `head` is stored: its size never changes."""
    return head.sequence.to_bytes(8, "big") + bytes.fromhex(head.hash)


def head_of(record: bytes) -> Head:
    """Return the head that `head_record` wrote."""
    return Head(int.from_bytes(record[:8], "big"), record[8:].hex() if any(record) else GENESIS)
