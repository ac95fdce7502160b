"""Where decisions lie that nothing more is expected of: on disk, found by id, order and trade.

One process's own notes of what it has folded and checked, in a nameless file that ends with
it; never a source of its own. What is taken from here is read again from the journal and
compared with the hashes that were noted (`ledger.decisions`).
"""

from __future__ import annotations

import marshal
import os
import sqlite3
import tempfile
import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ledger import sqlite_files
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState

_CACHE_KIB: Final = 2_048
_PAGE_SIZE: Final = 16_384
_PAGE: Final = 200
_AT_ONCE: Final = 2_000
_SCHEMA: Final = (
    f"PRAGMA page_size = {_PAGE_SIZE}",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    f"PRAGMA cache_size = -{_CACHE_KIB}",
    """CREATE TABLE cards (number INTEGER PRIMARY KEY, decision_id TEXT NOT NULL, state TEXT NOT NULL,
    proposer TEXT NOT NULL, is_order INTEGER NOT NULL, may_trade_late INTEGER NOT NULL,
    known BLOB NOT NULL)""",
    "CREATE INDEX waiting ON cards (number) WHERE state = 'held'",
    """CREATE TABLE keys (key INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (key, number))
    WITHOUT ROWID""",
    "CREATE TABLE loose_keys (keys BLOB NOT NULL, numbers BLOB NOT NULL)",
)
_HINT_BITS: Final = 1 << 23
"""Marks of what lies here: most of what is asked for does not, and no file is read then."""
_HINT_MASK: Final = _HINT_BITS - 1
_COLUMNS: Final = "number, decision_id, state, proposer, is_order, may_trade_late, known"
_PUT_CARD: Final = "INSERT OR REPLACE INTO cards VALUES (?,?,?,?,?,?,?)"
_PUT_KEYS: Final = "INSERT INTO loose_keys VALUES (?, ?)"
_PUT_KEY: Final = "INSERT OR IGNORE INTO keys VALUES (?, ?)"
_BY_KEY: Final = f"SELECT {_COLUMNS} FROM keys JOIN cards USING (number) WHERE key = ?"  # noqa: S608 - constants
_TEXT_OF: Final = {state: state.value for state in DecisionState}
Order = tuple[str, str]
"""Client order id and state, as the account book had it."""
Trade = tuple[str, str, str]
"""Venue, instrument and trade id."""


class Card(NamedTuple):
    """What is noted of one decision; `number` counts proposals from 0, in journal order."""

    number: int
    decision_id: str
    state: DecisionState
    proposer: str
    is_order: bool
    may_trade_late: bool
    places: tuple[int, ...]
    """Sequences of its events in the journal."""
    digest: bytes
    """Over the hashes of these events."""
    orders: tuple[Order, ...] = ()
    trades: tuple[Trade, ...] = ()

    @property
    def keys(self) -> list[int]:
        """Return what it is found by; another card may have the same key by chance."""
        told = [hash(self.decision_id), *map(hash, self.trades)]
        for client_order_id, _ in self.orders:
            told.append(hash(client_order_id))
        return told


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cards: in one state, of some proposers, orders only; none means any."""

    state: DecisionState | None = None
    proposers: frozenset[str] | None = None
    is_order: bool | None = None
    may_trade_late: bool | None = None

    @property
    def condition(self) -> str:
        """Return the condition in SQL, with as many marks as `values`."""
        told = ["1"]
        # A constant of ours, written out so that SQLite sees which index it may use.
        told += [f"state = '{self.state.value}'"] if self.state is not None else []
        told += [f"proposer IN ({_marks(self.proposers)})"] if self.proposers is not None else []
        told += ["is_order = ?"] if self.is_order is not None else []
        told += ["may_trade_late = ?"] if self.may_trade_late is not None else []
        return " AND ".join(told)

    @property
    def values(self) -> tuple[object, ...]:
        """Return what the condition's marks stand for."""
        single = (self.is_order, self.may_trade_late)
        return (*sorted(self.proposers or ()), *(item for item in single if item is not None))


class Shelf:
    """Cards of decisions; threads of a process may share it. Nothing survives `close`."""

    def __init__(self, directory: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._directory = directory
        self._connection: sqlite3.Connection | None = None
        self._waiting: list[Card] = []
        self._keys: tuple[array[int], array[int]] = (array("q"), array("q"))
        """Keys of the cards that wait, and whose they are."""
        self._has_loose_keys = False
        self._failure: str | None = None
        self._hints = bytearray(_HINT_BITS // 8)

    def put(self, card: Card) -> None:
        """Lay a card down, in place of an older one; `storage_failed` once, `storage_failed` ever after."""
        with self._lock:
            if self._failure is not None:
                raise _failed(self._failure)
            self._waiting.append(card)
            hints, number, told = self._hints, card.number, card.keys
            keys, numbers = self._keys
            keys.extend(told)
            for key in told:
                numbers.append(number)
                first, second = key & _HINT_MASK, key >> 32 & _HINT_MASK
                hints[first >> 3] |= 1 << (first & 7)
                hints[second >> 3] |= 1 << (second & 7)
            if len(self._waiting) >= _AT_ONCE:
                with self._usable():
                    self._write()

    def take(self, card: Card) -> None:
        """Take a card away, because its decision is open again."""
        with self._lock, self._usable():
            self._write()
            if self._connection is not None:
                self._connection.execute("DELETE FROM cards WHERE number = ?", (card.number,))

    def of_decision(self, decision_id: str) -> Card | None:
        """Return the card of a decision, or none."""
        found = self._keyed(hash(decision_id))
        return next((card for card in found if card.decision_id == decision_id), None) if found else None

    def of_order(self, client_order_id: str) -> Card | None:
        """Return the card of the decision that an order was sent for, or none."""
        found = self._keyed(hash(client_order_id))
        return next((card for card in found if client_order_id in dict(card.orders)), None) if found else None

    def of_trade(self, trade: Trade) -> Card | None:
        """Return the card of the decision that a trade belongs to, or none."""
        found = self._keyed(hash(trade))
        return next((card for card in found if trade in card.trades), None) if found else None

    def count(self, wanted: Wanted) -> int:
        """Return how many cards are wanted."""
        query = f"SELECT count(*) FROM cards WHERE {wanted.condition}"  # noqa: S608 - no value stands in it
        return sum(int(str(row[0])) for row in self._found(query, wanted.values))

    def cards(self, wanted: Wanted, *, is_newest_first: bool = False) -> Iterator[Card]:
        """Yield the wanted cards in order of their proposals, read in pages."""
        sign, order = ("<", "DESC") if is_newest_first else (">", "ASC")
        query = (
            f"SELECT {_COLUMNS} FROM cards WHERE {wanted.condition} AND number {sign} ?"  # noqa: S608 - as above
            f" ORDER BY number {order} LIMIT {_PAGE}"
        )
        last = 2**62 if is_newest_first else -1
        while True:
            rows = self._found(query, (*wanted.values, last))
            if not rows:
                return
            yield from map(_card, rows)
            last = int(str(rows[-1][0]))

    def close(self) -> None:
        """Let go of the file, which is gone with that. Closing twice is allowed."""
        with self._lock:
            self._waiting.clear()
            self._keys = (array("q"), array("q"))
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Use the file; without a journal of its own it is asked for nothing more once that failed."""
        if self._failure is not None:
            raise _failed(self._failure)
        try:
            yield
        except sqlite3.Error as error:
            self._failure, self._connection = str(error), None
            raise _failed(self._failure) from error

    def _keyed(self, key: int) -> list[Card]:
        hints, first, second = self._hints, key & _HINT_MASK, key >> 32 & _HINT_MASK
        if not (hints[first >> 3] & 1 << (first & 7) and hints[second >> 3] & 1 << (second & 7)):
            return []
        with self._lock, self._usable():
            self._sort_keys()
        return [_card(row) for row in self._found(_BY_KEY, (key,))]

    def _found(self, query: str, values: Sequence[object]) -> list[tuple[object, ...]]:
        """Return rows; none while nothing was ever laid down."""
        with self._lock, self._usable():
            self._write()
            if self._connection is None:
                return []
            rows: list[tuple[object, ...]] = self._connection.execute(query, values).fetchall()
            return rows

    def _write(self) -> None:
        """Write what waits; its keys loose, because most are never asked for."""
        if not self._waiting:
            return
        if self._connection is None:
            self._connection = _nameless(self._directory)
        with sqlite_files.immediate(self._connection):
            self._connection.executemany(_PUT_CARD, map(_row, self._waiting))
            self._connection.execute(_PUT_KEYS, self._keys)
        self._waiting.clear()
        self._keys = (array("q"), array("q"))
        self._has_loose_keys = True

    def _sort_keys(self) -> None:
        """Put loose keys where they are found, sorted: keys that come in order cost least."""
        self._write()
        if self._has_loose_keys and self._connection is not None:
            with sqlite_files.immediate(self._connection):
                for loose in self._connection.execute("SELECT keys, numbers FROM loose_keys"):
                    keys, numbers = (array("q", stored) for stored in loose)
                    self._connection.executemany(_PUT_KEY, sorted(zip(keys, numbers, strict=True)))
                self._connection.execute("DELETE FROM loose_keys")
            self._has_loose_keys = False


def _nameless(directory: Path | None) -> sqlite3.Connection:
    connection = _unlinked(directory)
    for statement in _SCHEMA:
        connection.execute(statement)
    return connection


def _unlinked(directory: Path | None) -> sqlite3.Connection:
    """Open a file that has no name any more: in `directory`, or where SQLite keeps such files."""
    if directory is not None:
        with suppress(OSError):
            handle, name = tempfile.mkstemp(prefix="shelf-", dir=directory)
            os.close(handle)
            try:
                return sqlite3.connect(name, isolation_level=None, check_same_thread=False)
            finally:
                Path(name).unlink()
    return sqlite3.connect("", isolation_level=None, check_same_thread=False)


def _row(card: Card) -> tuple[object, ...]:
    """Return a card's row; ints and byte arrays go to SQLite as they are, the like of them do not."""
    number, decision_id, state, proposer, is_order, may_trade_late, places, digest, orders, trades = card
    known = bytearray(marshal.dumps((places, digest, orders, trades)))
    return (number, decision_id, _TEXT_OF[state], proposer, int(is_order), int(may_trade_late), known)


def _card(row: Sequence[object]) -> Card:
    number, decision_id, state, proposer, is_order, may_trade_late, known = row
    places, digest, orders, trades = marshal.loads(known)  # type: ignore[arg-type]  # noqa: S302 - our own
    return Card(
        number=int(str(number)),
        decision_id=str(decision_id),
        state=DecisionState(str(state)),
        proposer=str(proposer),
        is_order=bool(is_order),
        may_trade_late=bool(may_trade_late),
        places=places,
        digest=digest,
        orders=orders,
        trades=trades,
    )


def _marks(values: Iterable[str] | None) -> str:
    return ",".join("?" for _ in values or ())


def _failed(why: str) -> Fault:
    told = f"what had ended could not be laid aside: {why}"
    fix = "check free space of --home, and start the service again; the journal is not touched"
    return Fault(ErrorCode.STORAGE_FAILED, told, fix=fix)
