"""Storage that fails, lies or is meddled with: one clear error, and what was answered is there or missed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.sqlite_journal import open_journal
from ledger.verify import verify_journal
from ledger.witness import witness_path
from tests.conftest import Proof
from tests.ledger.failing_disk import can_fail
from tests.ledger.journals import drill, write
from tests.ledger.test_processes import _start
from when_to_invest.errors import ErrorCode, Fault

ROOT = Path(__file__).resolve().parents[2]
WAL = "-wal"
DAMAGE = {ErrorCode.JOURNAL_CORRUPT, ErrorCode.JOURNAL_UNREADABLE, ErrorCode.STORAGE_FAILED}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _fault(call: Callable[..., object], *arguments: object, **named: object) -> Fault:
    with pytest.raises(Fault) as caught:
        call(*arguments, **named)
    return caught.value


def _meet(misfortune: str, path: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "tests.ledger.misfortunes", misfortune, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.mark.skipif(not can_fail(), reason="this machine's system calls are not known to the tests")
def test_on_a_disk_that_does_not_sync_nothing_more_is_answered_and_all_that_was_is_there(path: Path) -> None:
    told = _meet("sync", path)
    assert told == {"answered": 5, "failed": ["storage_failed", "storage_failed"]}
    assert verify_journal(path).ok
    with closing(open_journal(path)) as journal:
        events = [recorded.event for recorded in journal.read()]
        # What was being written may be there or not, once; nobody was told either way.
        assert events[:5] == [drill(number) for number in range(1, 6)]
        assert len(events) <= 6
        assert journal.append([drill(8)]).sequence == len(events) + 1


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """Yield a directory that everybody may enter, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="wti-read-only-"))
    directory.chmod(0o755)
    yield directory
    directory.chmod(0o755)
    shutil.rmtree(directory)


def test_where_nothing_can_be_written_the_journal_is_refused_and_can_still_be_verified(
    open_to_all: Path,
) -> None:
    path = write(open_to_all / "journal.sqlite", [drill(1), drill(2)])
    for file in (path, witness_path(path)):
        file.chmod(0o444)
    open_to_all.chmod(0o555)
    before = {each: each.read_bytes() for each in open_to_all.iterdir()}
    told = _meet("read-only", path)
    assert told["write"] == "storage_failed"
    assert told["read"] in {"done", "storage_failed"}
    assert told["verified"] == 2
    assert {each: each.read_bytes() for each in open_to_all.iterdir()} == before


def test_a_log_that_is_deleted_under_a_writer_stops_it_before_it_answers(path: Path) -> None:
    with closing(open_journal(path)) as journal:
        head = journal.append([drill(1), drill(2)])
        _beside(path, WAL).unlink()
        fault = _fault(journal.append, [drill(3)])
        assert fault.code is ErrorCode.JOURNAL_CORRUPT
        assert "journal.sqlite-wal was deleted, moved or replaced" in fault.message
        assert journal.head() == head
    # It closed in good order, so what it held went into the file after all.
    with closing(open_journal(path)) as journal:
        assert journal.head() == head


def test_a_log_that_is_deleted_and_a_writer_that_is_killed_leave_a_loss_that_is_noticed(path: Path) -> None:
    process = _start("appending", path, "gate")
    assert process.stdout is not None
    answered = [int(process.stdout.readline()) for _ in range(5)]
    os.kill(process.pid, signal.SIGSTOP)
    _beside(path, WAL).unlink()
    process.kill()
    process.communicate()
    for is_read_only in (True, False):
        assert _fault(open_journal, path, is_read_only=is_read_only).code is ErrorCode.JOURNAL_CORRUPT
    checked = verify_journal(path)
    assert checked.first_bad is not None
    assert checked.events < answered[-1]
    assert checked.first_bad.sequence == 1


@pytest.mark.parametrize("how", ["replaced", "moved", "deleted"])
def test_a_journal_that_is_taken_away_under_a_writer_stops_it(path: Path, tmp_path: Path, how: str) -> None:
    write(path, [drill(1)])
    older = tmp_path / "older.sqlite"
    shutil.copy(path, older)
    with closing(open_journal(path)) as journal:
        journal.append([drill(2)])
        if how == "deleted":
            path.unlink()
        else:
            (older if how == "replaced" else path).replace(path if how == "replaced" else tmp_path / "moved")
        fault = _fault(journal.append, [drill(3)])
        assert fault.code is ErrorCode.JOURNAL_CORRUPT
        assert "journal.sqlite was deleted, moved or replaced" in fault.message


def test_an_older_copy_put_in_place_while_a_writer_runs_is_not_taken_for_the_journal(
    path: Path, tmp_path: Path
) -> None:
    write(path, [drill(1)])
    older = tmp_path / "older.sqlite"
    shutil.copy(path, older)
    write(path, [drill(2)])
    with closing(open_journal(path)) as journal:
        older.replace(path)
        assert _fault(open_journal, path).code is ErrorCode.JOURNAL_CORRUPT
        assert _fault(journal.append, [drill(3)]).code is ErrorCode.JOURNAL_CORRUPT
    assert verify_journal(path).first_bad is not None


def _home(directory: Path, *numbers: int) -> Path:
    """Leave a journal as a killed process leaves it: its newest events in the log alone."""
    directory.mkdir()
    path = write(directory / "journal.sqlite", [drill(number) for number in numbers])
    living = directory / "living"
    living.mkdir()
    shutil.copy(path, living / path.name)
    shutil.copy(witness_path(path), witness_path(living / path.name))
    with closing(open_journal(living / path.name)) as journal:
        journal.append([drill(number + 100) for number in numbers])
        for suffix in ("", WAL, ".head"):
            shutil.copy(_beside(living / path.name, suffix), _beside(path, suffix))
    shutil.rmtree(living)
    return path


@pytest.mark.parametrize("suffix", [WAL, ".head"])
def test_files_of_two_homes_make_no_journal(tmp_path: Path, suffix: str) -> None:
    ours, theirs = _home(tmp_path / "ours", 1, 2, 3), _home(tmp_path / "theirs", 7, 8, 9)
    assert verify_journal(ours).ok
    shutil.copy(_beside(theirs, suffix), _beside(ours, suffix))
    assert not verify_journal(ours).ok
    for is_read_only in (True, False):
        assert _fault(open_journal, ours, is_read_only=is_read_only).code is ErrorCode.JOURNAL_CORRUPT


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_no_new_journal_is_begun_where_the_witness_knows_an_old_one(path: Path, left: str) -> None:
    write(path, [drill(1)])
    path.unlink()
    if left == "an empty file":
        path.touch()
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    for is_read_only in (True, False):
        assert _fault(open_journal, path, is_read_only=is_read_only).code is ErrorCode.JOURNAL_CORRUPT
    if left == "nothing":
        assert {each: each.read_bytes() for each in path.parent.iterdir()} == before


@pytest.mark.proof
def test_bytes_that_change_while_processes_run_are_never_believed(tmp_path: Path, proof: Proof) -> None:
    """A writer and a reader at work, and somebody writing into file or log: no event but a true one."""
    for seed in proof.seeds(ci=4, full=60):
        (directory := tmp_path / str(seed)).mkdir()
        path = directory / "journal.sqlite"
        chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
        process = _start("appending", path, "gate")
        try:
            assert process.stdout is not None
            answered = [int(process.stdout.readline()) for _ in range(1 + seed % 7)]
            _spoil(path if seed % 2 else _beside(path, WAL), chance)
            assert _true_events_or_a_fault(path), seed
        finally:
            process.kill()
            out, _ = process.communicate()
        answered += [int(line) for line in out.split("\n")[:-1]]
        checked = verify_journal(path)
        assert not checked.ok or checked.events >= answered[-1], seed
        assert _true_events_or_a_fault(path), seed


def _spoil(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for _ in range(chance.randint(1, 60)):
            file.seek(chance.randrange(max(size, 1)))
            file.write(chance.randbytes(chance.randint(1, 16)))


def _true_events_or_a_fault(path: Path) -> bool:
    """Read as far as a reader gets; return whether everything read is what the writer wrote."""
    place = 0
    try:
        with closing(open_journal(path, is_read_only=True)) as journal:
            for recorded in journal.read():
                expected = drill(place // 2).model_copy(update={"by": "gate"})
                if (recorded.sequence, recorded.event) != (place + 1, expected):
                    return False
                place += 1
    except Fault as fault:
        return fault.code in DAMAGE
    return True
