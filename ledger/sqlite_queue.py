"""The embedded order queue: SQS FIFO semantics in one SQLite file, durable on every call.

Several processes share the file. A message is handed to one receiver at a time and its
group waits with it; what is not deleted in time is handed out again in order, and set
aside after `max_receives` deliveries. Nothing here ever reads a message's body.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from home.tracing import valid
from ledger import sqlite_files
from ledger.queue import (
    DEDUPLICATION_S,
    MAX_BATCH,
    Depth,
    OutgoingMessage,
    ReceivedMessage,
)
from ledger.sqlite_queue_layout import lay_out
from when_to_invest.errors import ErrorCode, Fault

POLL_S: Final = 0.02
_AVAILABLE: Final = (
    "SELECT sequence, message_id, body, message_group, deduplication_id, receive_count, traceparent"
    " FROM messages"
    " WHERE +visible_at <= :now AND message_group NOT IN"
    " (SELECT message_group FROM messages WHERE visible_at > :now)"
    " ORDER BY sequence LIMIT :limit"
)
_DELETE: Final = "DELETE FROM messages WHERE receipt = ? AND visible_at > ?"
_EXTEND: Final = "UPDATE messages SET visible_at = ? WHERE receipt = ? AND visible_at > ?"
_Row = tuple[int, str, str, str, str, int, str]


class SqliteQueue:
    """Both sides of the queue on one connection; `SqliteSender` and `SqliteReceiver` split it."""

    def __init__(
        self,
        path: Path,
        *,
        visibility_s: float,
        max_receives: int,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._visibility_s = visibility_s
        self._max_receives = max_receives
        self._now = now
        self._pause = pause
        self._lock = threading.RLock()
        with sqlite_files.translated(sqlite_files.QUEUE, "open the queue"):
            self._connection = sqlite_files.connect(path)
            lay_out(self._connection)

    def send(self, message: OutgoingMessage) -> str:
        """Send durably and return the message's id, the first one's when it is a repetition."""
        return self.send_together((message,))[0]

    def send_together(self, messages: Sequence[OutgoingMessage]) -> tuple[str, ...]:
        """Send all of `messages` in their order or none of them, with one sync; return their ids."""
        with (
            self._lock,
            sqlite_files.translated(sqlite_files.QUEUE, "send"),
            sqlite_files.immediate(self._connection),
        ):
            now = self._now()
            self._connection.execute("DELETE FROM remembered WHERE expires_at <= ?", (now,))
            return tuple(self._sent(message, now) for message in messages)

    def _sent(self, message: OutgoingMessage, now: float) -> str:
        first = self._connection.execute(
            "SELECT message_id FROM remembered WHERE deduplication_id = ?", (message.deduplication_id,)
        ).fetchone()
        return str(first[0]) if first is not None else _insert(self._connection, message, now)

    def receive(self, *, max_messages: int, wait_s: float) -> tuple[ReceivedMessage, ...]:
        """Return up to `max_messages`, waiting up to `wait_s` seconds for the first."""
        waited_s = 0.0
        while True:
            taken = self._take(min(max_messages, MAX_BATCH))
            if taken or waited_s >= wait_s:
                return taken
            step_s = min(POLL_S, wait_s - waited_s)
            self._pause(step_s)
            waited_s += step_s

    def delete(self, receipt: str) -> None:
        """Remove a message in flight.

        Raises:
            Fault: `receipt_expired` when its visibility ended or it is gone.
        """
        for fault in filter(None, self.delete_together((receipt,))):
            raise fault

    def delete_together(self, receipts: Sequence[str]) -> tuple[Fault | None, ...]:
        """Remove messages in flight with one sync; return for each nothing, or that it is no more ours."""
        with (
            self._lock,
            sqlite_files.translated(sqlite_files.QUEUE, "answer for a message"),
            sqlite_files.immediate(self._connection),
        ):
            now = self._now()
            gone = [self._connection.execute(_DELETE, (receipt, now)).rowcount for receipt in receipts]
        return tuple(None if count else _expired() for count in gone)

    def extend(self, receipt: str, *, visibility_s: int) -> None:
        """Keep a message in flight for `visibility_s` from now; 0 gives it back at once.

        Raises:
            Fault: `receipt_expired` when its visibility ended or it is gone.
        """
        with self._lock, sqlite_files.translated(sqlite_files.QUEUE, "answer for a message"):
            now = self._now()
            kept = self._connection.execute(_EXTEND, (now + visibility_s, receipt, now)).rowcount
        if kept == 0:
            raise _expired()

    def depth(self) -> Depth:
        """Return how many messages wait, are in flight, and were set aside."""
        with self._lock, sqlite_files.translated(sqlite_files.QUEUE, "look at the queue"):
            waiting, in_flight, dead = self._connection.execute(
                "SELECT (SELECT count(*) FROM messages WHERE visible_at <= :now),"
                " (SELECT count(*) FROM messages WHERE visible_at > :now),"
                " (SELECT count(*) FROM dead_letters)",
                {"now": self._now()},
            ).fetchone()
        return Depth(waiting, in_flight, dead)

    def is_empty(self) -> bool:
        """Whether nothing waits and nothing is in flight; dead letters do not count."""
        depth = self.depth()
        return depth.waiting + depth.in_flight == 0

    def dead_letters(self, *, after: str = "0", limit: int = -1) -> tuple[ReceivedMessage, ...]:
        """Return what was set aside after the receipt `after`, in that order; all of it by default."""
        with self._lock, sqlite_files.translated(sqlite_files.QUEUE, "look at the dead letters"):
            rows = self._connection.execute(
                "SELECT message_id, CAST(sequence AS TEXT), body, message_group, deduplication_id,"
                " receive_count FROM dead_letters WHERE sequence > ? ORDER BY sequence LIMIT ?",
                (int(after), limit),
            ).fetchall()
        return tuple(ReceivedMessage(*row) for row in rows)

    def throw_away(self, receipt: str) -> None:
        """Remove one dead letter; one that is gone already is no error."""
        with self._lock, sqlite_files.translated(sqlite_files.QUEUE, "remove a dead letter"):
            self._connection.execute("DELETE FROM dead_letters WHERE sequence = ?", (int(receipt),))

    def close(self) -> None:
        """Close the connection; messages in flight stay so until their visibility ends."""
        with self._lock:
            self._connection.close()

    def _take(self, limit: int) -> tuple[ReceivedMessage, ...]:
        with self._lock, sqlite_files.translated(sqlite_files.QUEUE, "receive"):
            # Looking first spares an idle receiver the write lock.
            if not self._available(1):
                return ()
            with sqlite_files.immediate(self._connection):
                rows = self._available(limit)
                while spent := [row[0] for row in rows if row[5] >= self._max_receives]:
                    _set_aside(self._connection, spent)
                    rows = self._available(limit)
                return tuple(self._hand_out(row) for row in rows)

    def _available(self, limit: int) -> list[_Row]:
        return self._connection.execute(_AVAILABLE, {"now": self._now(), "limit": limit}).fetchall()

    def _hand_out(self, row: _Row) -> ReceivedMessage:
        sequence, message_id, body, group, deduplication_id, receive_count, traceparent = row
        receipt = secrets.token_hex(16)
        self._connection.execute(
            "UPDATE messages SET visible_at = ?, receive_count = ?, receipt = ? WHERE sequence = ?",
            (self._now() + self._visibility_s, receive_count + 1, receipt, sequence),
        )
        return ReceivedMessage(
            message_id, receipt, body, group, deduplication_id, receive_count + 1, valid(str(traceparent))
        )


def _expired() -> Fault:
    return Fault(
        ErrorCode.RECEIPT_EXPIRED,
        "the message's visibility ended before it was dealt with",
        fix="do nothing; the message is delivered again and the journal says what was done",
    )


def _insert(connection: sqlite3.Connection, message: OutgoingMessage, now: float) -> str:
    message_id = secrets.token_hex(16)
    connection.execute(
        "INSERT INTO messages (message_id, body, message_group, deduplication_id, visible_at, traceparent)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (message_id, message.body, message.group, message.deduplication_id, now, message.traceparent),
    )
    connection.execute(
        "INSERT INTO remembered VALUES (?, ?, ?)",
        (message.deduplication_id, message_id, now + DEDUPLICATION_S),
    )
    return message_id


def _set_aside(connection: sqlite3.Connection, sequences: list[int]) -> None:
    for sequence in sequences:
        connection.execute(
            "INSERT INTO dead_letters (message_id, body, message_group, deduplication_id, receive_count)"
            " SELECT message_id, body, message_group, deduplication_id, receive_count"
            " FROM messages WHERE sequence = ?",
            (sequence,),
        )
        connection.execute("DELETE FROM messages WHERE sequence = ?", (sequence,))


class SqliteSender:
    """The sending side alone."""

    __slots__ = ("_send_together", "send")

    def __init__(self, queue: SqliteQueue) -> None:
        self.send = queue.send
        self._send_together = queue.send_together

    def send_batch(self, messages: Sequence[OutgoingMessage]) -> tuple[str | Fault, ...]:
        """Send all in one transaction; what keeps one out keeps all out, and is raised."""
        return self._send_together(messages)


class SqliteReceiver:
    """The receiving side alone."""

    __slots__ = ("_delete_together", "delete", "extend", "is_empty", "receive")

    def __init__(self, queue: SqliteQueue) -> None:
        self.receive = queue.receive
        self.delete = queue.delete
        self.extend = queue.extend
        self.is_empty = queue.is_empty
        self._delete_together = queue.delete_together

    def delete_batch(self, receipts: Sequence[str]) -> tuple[Fault | None, ...]:
        """Remove messages in flight; return for each nothing, or that its receipt has expired."""
        return self._delete_together(receipts)


class SqliteDeadLetters:
    """What was set aside, a few at a time, from the first again after the last."""

    __slots__ = ("_after", "_queue")

    def __init__(self, queue: SqliteQueue) -> None:
        self._queue = queue
        self._after = "0"

    def look(self, *, max_messages: int) -> tuple[ReceivedMessage, ...]:
        """Return up to `max_messages` that follow those returned last."""
        found = self._queue.dead_letters(after=self._after, limit=max_messages)
        self._after = found[-1].receipt if len(found) == max_messages else "0"
        return found

    def remove(self, receipt: str) -> None:
        """Throw one away."""
        self._queue.throw_away(receipt)
