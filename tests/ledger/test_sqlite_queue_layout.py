"""A queue file of the first layout is moved forward where it lies, with all that waits in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.queue import OutgoingMessage
from ledger.sqlite_queue import SqliteQueue
from when_to_invest.errors import ErrorCode, Fault

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def opened(path: Path) -> SqliteQueue:
    return SqliteQueue(path, visibility_s=30, max_receives=5)


def of_first_layout(path: Path) -> None:
    """Make a file as the first layout was, with a message in it."""
    opened(path).send(OutgoingMessage("earlier", "g", "d-1"))
    with closing(sqlite3.connect(path)) as file:
        file.execute("ALTER TABLE messages DROP COLUMN traceparent")
        file.execute("PRAGMA user_version = 1")
        file.commit()


def test_an_earlier_file_keeps_its_messages_and_takes_traced_ones(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    of_first_layout(path)
    queue = opened(path)
    queue.send(OutgoingMessage("later", "h", "d-2", TRACEPARENT))
    received = queue.receive(max_messages=10, wait_s=0)
    assert [(each.body, each.traceparent) for each in received] == [("earlier", ""), ("later", TRACEPARENT)]
    opened(path)


def test_a_sender_that_had_the_earlier_file_open_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    of_first_layout(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as earlier:
        queue = opened(path)
        earlier.execute(
            "INSERT INTO messages (message_id, body, message_group, deduplication_id, visible_at)"
            " VALUES ('m-9', 'from before', 'i', 'd-9', 0)"
        )
    assert [each.body for each in queue.receive(max_messages=10, wait_s=0)] == ["earlier", "from before"]


@pytest.mark.parametrize("layout", [0, 3, 99])
def test_a_file_of_an_unknown_layout_is_refused(tmp_path: Path, layout: int) -> None:
    path = tmp_path / "queue.sqlite"
    opened(path)
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {layout:d}")
    with pytest.raises(Fault) as caught:
        opened(path)
    assert caught.value.code is ErrorCode.QUEUE_MISSING


def test_a_context_that_somebody_wrote_into_the_file_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    queue = opened(path)
    queue.send(OutgoingMessage("traced", "g", "d-1", TRACEPARENT))
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE messages SET traceparent = x'00ff'")
        file.commit()
    (received,) = queue.receive(max_messages=1, wait_s=0)
    assert received.traceparent == ""
