"""The embedded queue beyond its contract: waiting, deduplication's end, depth, storage."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ledger.queue import DEDUPLICATION_S, Depth, OutgoingMessage
from ledger.sqlite_queue import SqliteQueue, SqliteSender
from when_to_invest.errors import ErrorCode, Fault

MESSAGE = OutgoingMessage("body", "main|paper|SPX", "d-1")


class Room:
    """A queue in a room whose clock the tests hold; `pauses` are how long it waited."""

    def __init__(self, path: Path) -> None:
        self.now = 1_000.0
        self.pauses: list[float] = []
        self.on_pause = lambda: None
        self.queue = SqliteQueue(
            path, visibility_s=30.0, max_receives=2, now=lambda: self.now, pause=self._pause
        )

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        self.on_pause()


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "queue.sqlite")


def test_receiving_without_waiting_never_pauses(room: Room) -> None:
    assert room.queue.receive(max_messages=10, wait_s=0.0) == ()
    assert room.pauses == []


def test_receiving_waits_as_long_as_asked_and_no_longer(room: Room) -> None:
    assert room.queue.receive(max_messages=10, wait_s=0.5) == ()
    assert sum(room.pauses) == pytest.approx(0.5)


def test_a_waiting_receiver_takes_what_arrives_meanwhile(room: Room) -> None:
    room.on_pause = lambda: room.queue.send(MESSAGE) and None
    (received,) = room.queue.receive(max_messages=10, wait_s=20.0)
    assert received.body == "body"
    assert len(room.pauses) == 1


def test_deduplication_ends_after_five_minutes(room: Room) -> None:
    first = room.queue.send(MESSAGE)
    room.now += DEDUPLICATION_S - 0.001
    assert room.queue.send(MESSAGE) == first
    room.now += 0.001
    assert room.queue.send(MESSAGE) != first


def test_a_message_is_in_flight_to_the_last_moment_of_its_visibility(room: Room) -> None:
    room.queue.send(MESSAGE)
    (held,) = room.queue.receive(max_messages=1, wait_s=0.0)
    room.now += 29.999
    assert room.queue.receive(max_messages=1, wait_s=0.0) == ()
    room.now += 0.001
    with pytest.raises(Fault) as caught:
        room.queue.delete(held.receipt)
    assert caught.value.code is ErrorCode.RECEIPT_EXPIRED
    assert len(room.queue.receive(max_messages=1, wait_s=0.0)) == 1


def test_depth_counts_what_waits_what_is_in_flight_and_what_is_dead(room: Room) -> None:
    for number in range(3):
        room.queue.send(OutgoingMessage("body", f"group-{number}", f"d-{number}"))
    room.queue.receive(max_messages=1, wait_s=0.0)
    assert room.queue.depth() == Depth(waiting=2, in_flight=1, dead=0)


def test_several_poisoned_messages_are_set_aside_in_one_receive(room: Room) -> None:
    for number in range(4):
        room.queue.send(OutgoingMessage(f"body {number}", "group", f"d-{number}"))
    for _ in range(2):
        assert len(room.queue.receive(max_messages=3, wait_s=0.0)) == 3
        room.now += 30.0
    (survivor,) = room.queue.receive(max_messages=3, wait_s=0.0)
    assert survivor.body == "body 3"
    assert [dead.body for dead in room.queue.dead_letters()] == ["body 0", "body 1", "body 2"]
    assert {dead.receive_count for dead in room.queue.dead_letters()} == {2}


def test_dead_letters_stand_in_the_order_in_which_they_were_set_aside(room: Room) -> None:
    room.queue.send(OutgoingMessage("older", "slow", "d-1"))
    room.queue.send(OutgoingMessage("newer", "fast", "d-2"))
    (kept, _) = room.queue.receive(max_messages=2, wait_s=0.0)
    room.queue.extend(kept.receipt, visibility_s=1_000)
    for _ in range(3):
        room.now += 30.0
        room.queue.receive(max_messages=2, wait_s=0.0)
    for _ in range(3):
        room.now += 1_000.0
        room.queue.receive(max_messages=2, wait_s=0.0)
    assert [dead.body for dead in room.queue.dead_letters()] == ["newer", "older"]


def test_what_was_sent_is_there_after_reopening(tmp_path: Path) -> None:
    Room(tmp_path / "queue.sqlite").queue.send(MESSAGE)
    (received,) = Room(tmp_path / "queue.sqlite").queue.receive(max_messages=1, wait_s=0.0)
    assert received.body == "body"


def test_a_full_disk_is_a_storage_fault_and_sends_nothing(room: Room) -> None:
    pages = room.queue._connection.execute("PRAGMA page_count").fetchone()[0]
    room.queue._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Fault) as caught:
        room.queue.send(OutgoingMessage("x" * 100_000, "group", "d-1"))
    assert caught.value.code is ErrorCode.STORAGE_FAILED
    assert room.queue.depth() == Depth(0, 0, 0)
    assert room.queue.send(OutgoingMessage("small", "group", "d-1"))


def test_a_batch_is_taken_whole_or_not_at_all(room: Room) -> None:
    pages = room.queue._connection.execute("PRAGMA page_count").fetchone()[0]
    room.queue._connection.execute(f"PRAGMA max_page_count = {pages}")
    batch = [MESSAGE, OutgoingMessage("x" * 100_000, "main|paper|SPX", "d-2")]
    with pytest.raises(Fault) as caught:
        SqliteSender(room.queue).send_batch(batch)
    assert caught.value.code is ErrorCode.STORAGE_FAILED
    assert room.queue.depth() == Depth(0, 0, 0)


def test_a_batch_is_one_commit(room: Room) -> None:
    commits: list[str] = []
    room.queue._connection.set_trace_callback(lambda said: commits.append(said) if said == "COMMIT" else None)
    batch = [OutgoingMessage("body", "main|paper|SPX", f"d-{number}") for number in range(40)]
    assert len(set(SqliteSender(room.queue).send_batch(batch))) == 40
    assert commits == ["COMMIT"]


def test_a_queue_that_another_process_holds_is_unavailable(room: Room, tmp_path: Path) -> None:
    room.queue._connection.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(tmp_path / "queue.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Fault) as caught:
        room.queue.send(MESSAGE)
    assert caught.value.code is ErrorCode.QUEUE_UNAVAILABLE
    assert caught.value.is_retryable
    other.close()


def test_a_directory_that_does_not_exist_is_a_storage_fault(tmp_path: Path) -> None:
    with pytest.raises(Fault) as caught:
        Room(tmp_path / "nowhere" / "queue.sqlite")
    assert caught.value.code is ErrorCode.STORAGE_FAILED


def test_a_file_of_another_kind_is_no_queue(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE something (else_ TEXT)")
    other.close()
    with pytest.raises(Fault) as caught:
        Room(path)
    assert caught.value.code is ErrorCode.QUEUE_MISSING
