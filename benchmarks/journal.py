"""What the chain and the queue's promises cost beside SQLite alone, synced just as well.

The peer of an append is the same events as JSON inserted into a plain table; of reading,
fetching those rows and parsing each as JSON; of the queue, a table used as one with nothing but an
insert, an update and a delete.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from benchmarks.long_journal import LIVES, life, write_journal
from benchmarks.row import Figure, Row, against, median_s, within
from ledger.live import LiveLedger
from ledger.queue import OutgoingMessage
from ledger.sqlite_journal import open_journal
from ledger.sqlite_queue import SqliteQueue
from ledger.verify import verify_journal
from when_to_invest.events import Event

EVENTS: Final = "events/s"
NOW: Final = datetime(2018, 6, 1, 21, 0, tzinfo=UTC)
SINGLES: Final = 200
GROUP: Final = 100
GROUPS: Final = 20
VERIFIED: Final = 20_000
REPLAYED: Final = 200_000
CYCLES: Final = 200
REPEATS: Final = 5
REPLAY_PER_S: Final = 100_000.0
VERIFY_PER_S: Final = 10_000.0
BODY: Final = "x" * 2_000


def rows() -> list[Row]:
    """Return the journal's and the queue's figures, each beside its peer."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        return [
            *_append_rows(directory),
            _verify_row(directory),
            *_replay_rows(directory),
            _queue_row(directory),
        ]


def _append_rows(directory: Path) -> Iterator[Row]:
    kinds = [event for n in range(LIVES) for event in life(n)]
    for size, commits in ((1, SINGLES), (GROUP, GROUPS)):
        events = list(islice(cycle(kinds), size))
        with (
            closing(open_journal(directory / f"journal-{size}.sqlite")) as journal,
            _plain(directory / f"plain-{size}.sqlite") as connection,
        ):
            ours, theirs = _rates(
                partial(journal.append, events),
                partial(_insert, connection, events),
                units=size,
                calls=commits,
            )
        yield against(
            f"append, {size} to a commit",
            Figure(ours, EVENTS, is_lower_better=False),
            peer="plain SQLite insert of the same JSON",
            peer_value=theirs,
            least_ratio=0.25,
        )


def _encoded(event: Event) -> bytes:
    return event.model_dump_json().encode()


def _verify_row(directory: Path) -> Row:
    path = directory / "short.sqlite"
    count = write_journal(path, events=VERIFIED)
    verified = count / median_s(lambda: verify_journal(path), repeats=REPEATS)
    return within("verify every byte", Figure(verified, EVENTS, is_lower_better=False), bound=VERIFY_PER_S)


def _replay_rows(directory: Path) -> Iterator[Row]:
    """Yield what reading and replaying a long journal of mixed lives takes, each opened anew."""
    path, plain = directory / "long.sqlite", directory / "long-plain.sqlite"
    count = write_journal(path, events=REPLAYED)
    with closing(sqlite3.connect(path)) as source, _plain(plain) as target:
        target.execute("BEGIN")
        rows = source.execute("SELECT event FROM events ORDER BY sequence")
        target.executemany("INSERT INTO plain (content) VALUES (?)", rows)
        target.execute("COMMIT")
        read, parsed = _rates(partial(_read, path), partial(_parse, target), units=count)
    folded = count / median_s(partial(_replay, path), repeats=REPEATS)
    yield against(
        "read with the chain checked",
        Figure(read, EVENTS, is_lower_better=False),
        peer="plain SQLite read and json.loads",
        peer_value=parsed,
        least_ratio=0.25,
    )
    yield within(
        "replay: open, read, check, fold", Figure(folded, EVENTS, is_lower_better=False), bound=REPLAY_PER_S
    )


def _read(path: Path) -> int:
    with closing(open_journal(path, is_read_only=True)) as journal:
        return sum(1 for _ in journal.read())


def _replay(path: Path) -> None:
    with closing(open_journal(path, is_read_only=True)) as journal:
        LiveLedger(journal, shelf_in=path.parent).refresh()


def _queue_row(directory: Path) -> Row:
    numbers = iter(range(10**9))
    with (
        closing(SqliteQueue(directory / "queue.sqlite", visibility_s=30, max_receives=5)) as queue,
        _plain(directory / "queue-plain.sqlite") as connection,
    ):

        def cycle() -> None:
            queue.send(OutgoingMessage(BODY, "group", str(next(numbers))))
            queue.delete(queue.receive(max_messages=1, wait_s=0.0)[0].receipt)

        def plain_cycle() -> None:
            connection.execute("INSERT INTO plain (content) VALUES (?)", (BODY,))
            connection.execute("UPDATE plain SET content = content || ''")
            connection.execute("DELETE FROM plain")

        ours, theirs = _rates(cycle, plain_cycle, units=1, calls=CYCLES)
    return against(
        "queue: send, receive, delete",
        Figure(ours, "messages/s", is_lower_better=False),
        peer="plain table",
        peer_value=theirs,
        least_ratio=0.3,
    )


def _rates(
    ours: Callable[[], object], theirs: Callable[[], object], *, units: int, calls: int = 1
) -> tuple[float, float]:
    """Return units a second of both, from medians of rounds that take turns.

    Taking turns lets a disk that is busy for a moment slow both down.
    """
    durations: dict[Callable[[], object], list[float]] = {ours: [], theirs: []}
    for _ in range(REPEATS):
        for call, taken in durations.items():
            started = time.perf_counter()
            for _ in range(calls):
                call()
            taken.append(time.perf_counter() - started)
    mine, other = (units * calls / statistics.median(taken) for taken in durations.values())
    return mine, other


@contextmanager
def _plain(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a table without chain, triggers or checks, as durable as ours."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE plain (sequence INTEGER PRIMARY KEY, content BLOB NOT NULL)")
        yield connection


def _insert(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO plain (content) VALUES (?)", ((_encoded(event),) for event in events))
    connection.execute("COMMIT")


def _parse(connection: sqlite3.Connection) -> int:
    return sum(
        len(json.loads(content)) for (content,) in connection.execute("SELECT content FROM plain ORDER BY 1")
    )
