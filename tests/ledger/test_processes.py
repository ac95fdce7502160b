"""Journal and queue under several real processes, some of them killed without warning."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from ledger.queue import OutgoingMessage
from ledger.sqlite_journal import open_journal
from ledger.sqlite_queue import SqliteQueue
from ledger.verify import verify_journal
from tests.conftest import Proof
from tests.ledger.receiving import VISIBILITY_S
from when_to_invest.events import TradingStateChanged

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 60


def _start(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.ledger.{program}", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str]) -> list[str]:
    output, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
    return output.split()


def _kill_after(process: subprocess.Popen[str], lines: int) -> list[str]:
    """Read `lines` lines, kill, and return them with what was printed before the end."""
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(lines)]
    process.kill()
    rest, _ = process.communicate(timeout=TIMEOUT_S)
    whole, _, _ = rest.rpartition("\n")
    return said + whole.split()


def test_processes_that_append_at_once_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    names, each = ("gate", "executor", "console"), 40
    processes = [_start("appending", path, name, each) for name in names]
    reached = [int(line) for process in processes for line in _finish(process)]
    assert sorted(reached) == list(range(2, 2 * each * len(names) + 1, 2))
    assert verify_journal(path).events == 2 * each * len(names)
    assert verify_journal(path).ok
    with closing(open_journal(path)) as journal:
        told = [recorded.event for recorded in journal.read()]
    for name in names:
        own = [event.why for event in told if isinstance(event, TradingStateChanged) and event.by == name]
        assert own == [f"drill {number}" for number in range(each) for _ in "ab"]


def test_a_journal_that_is_being_written_verifies(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    writer = _start("appending", path, "gate")
    assert writer.stdout is not None
    reached = int(writer.stdout.readline())
    for _ in range(12):
        verification = verify_journal(path)
        assert verification.ok, verification
        assert verification.events >= reached
        reached = int(writer.stdout.readline())
    _kill_after(writer, 0)


@pytest.mark.proof
def test_a_killed_process_loses_nothing_it_was_told_is_durable(tmp_path: Path, proof: Proof) -> None:
    for seed in proof.seeds(ci=2, full=200):
        path = tmp_path / f"journal-{seed}.sqlite"
        durable = int(_kill_after(_start("appending", path, "gate"), 1 + 7 * seed % 90)[-1])
        before = verify_journal(path)
        with closing(open_journal(path)) as journal:
            assert journal.head().sequence >= durable
            # A group is there with both its events or not at all.
            assert journal.head().sequence % 2 == 0
            assert sum(1 for _ in journal.read()) == journal.head().sequence
        assert before.ok, before
        assert verify_journal(path).head == before.head


def test_receivers_that_share_a_queue_get_each_message_once(tmp_path: Path) -> None:
    path, total = tmp_path / "queue.sqlite", 60
    assert _finish(_start("receiving", path, "send", total)) == []
    receivers = [_start("receiving", path, "receive") for _ in range(3)]
    got = [_finish(receiver) for receiver in receivers]
    assert sorted(int(body) for bodies in got for body in bodies) == list(range(total))
    for bodies in got:
        for group in range(3):
            mine = [int(body) for body in bodies if int(body) % 3 == group]
            assert mine == sorted(mine)


def test_what_a_killed_receiver_held_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    now = time.time()
    later = {"s": 0.0}
    with closing(
        SqliteQueue(path, visibility_s=VISIBILITY_S, max_receives=5, now=lambda: now + later["s"])
    ) as queue:
        queue.send(OutgoingMessage("a", "group", "d-1"))
        assert _kill_after(_start("receiving", path, "hang"), 1) == ["a"]
        assert queue.receive(max_messages=1, wait_s=0.0) == ()
        later["s"] = VISIBILITY_S + TIMEOUT_S
        (again,) = queue.receive(max_messages=1, wait_s=0.0)
    assert (again.body, again.receive_count) == ("a", 2)
