"""Who reads with a process ahead reads what it would read alone, whatever becomes of that process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from ledger import read_ahead, sqlite_journal
from ledger.journal import EMPTY, Recorded
from ledger.read_ahead import Ahead, Block
from ledger.sqlite_journal import open_journal
from tests.ledger.journals import drill, tamper, write
from when_to_invest.errors import Fault

EVENTS = 900
"""Several blocks of the process ahead."""
_is_there = Ahead._is_there
_blocks = Ahead.blocks
FORGED = (
    "import marshal, sys; out = sys.stdout.buffer; out.write(b'r'); out.flush(); sys.stdin.readline();"
    "block = marshal.dumps((['ab' * 32], [b'{}'])); out.write(len(block).to_bytes(8, 'little') + block)"
)
SILENT = "import sys; sys.stdout.write('r'); sys.stdout.flush(); sys.stdin.read()"
BROKEN_OFF = "import sys; sys.stdout.write('r'); sys.stdout.flush(); sys.stdin.readline(); print('12')"
OTHER_WORDS = "import sys; sys.stdout.write('no'); sys.stdout.flush(); sys.stdin.read()"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("written") / "journal.sqlite"
    return write(path, [drill(number) for number in range(1, EVENTS + 1)]).read_bytes()


@pytest.fixture
def path(tmp_path: Path, written: bytes) -> Path:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(written)
    return path


class Watched:
    """How many events came from ahead, and the processes that were started for it."""

    def __init__(self) -> None:
        self.events = 0
        self.processes: list[subprocess.Popen[bytes] | None] = []


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Read ahead in short journals as well, and wait until the process is there."""
    watched = Watched()

    def waiting(self: Ahead, *, wait_s: float) -> bool:
        return _is_there(self, wait_s=wait_s or 60.0)

    def counted(self: Ahead, *args: object) -> Iterator[Block]:
        for block in _blocks(self, *args):  # type: ignore[arg-type]
            watched.events += len(block.hashes)
            yield block

    def started(file: str, start: object = read_ahead._started) -> subprocess.Popen[bytes] | None:
        watched.processes.append(start(file))  # type: ignore[operator]
        return watched.processes[-1]

    monkeypatch.setattr(read_ahead, "MANY", 1)
    monkeypatch.setattr(read_ahead, "_has_two_processors", lambda: True)
    monkeypatch.setattr(read_ahead, "_started", started)
    monkeypatch.setattr(Ahead, "_is_there", waiting)
    monkeypatch.setattr(Ahead, "blocks", counted)
    monkeypatch.setattr(sqlite_journal, "_BATCH", 10)
    return watched


def read(path: Path, *, after: int = 0) -> tuple[list[Recorded], str]:
    """Return what was read, and what ended it."""
    found: list[Recorded] = []
    with closing(open_journal(path, is_read_only=True)) as journal:
        try:
            found += journal.read(after=after)
        except Fault as fault:
            return found, str(fault)
    return found, ""


def read_alone(path: Path, *, after: int = 0) -> tuple[list[Recorded], str]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(read_ahead, "MANY", 10**9)
        return read(path, after=after)


@pytest.mark.parametrize("after", [0, 1, 333])
def test_a_long_journal_read_ahead_is_the_same_event_by_event(path: Path, ahead: Watched, after: int) -> None:
    found = read(path, after=after)
    assert found == read_alone(path, after=after)
    assert [recorded.sequence for recorded in found[0]] == [*range(after + 1, EVENTS + 1)]
    assert ahead.events == EVENTS - after - 10
    (process,) = ahead.processes
    assert process is not None
    assert process.returncode is not None


@pytest.mark.parametrize("place", [5, 11, 266, 267, 600, EVENTS])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET event = replace(event, 'drill', 'chill') WHERE sequence = {place}",
        "UPDATE events SET event = CAST(event AS TEXT) WHERE sequence = {place}",
        "UPDATE events SET hash = zeroblob(32) WHERE sequence = {place}",
        "UPDATE events SET previous_hash = zeroblob(32) WHERE sequence = {place}",
        "UPDATE events SET hash = 'text' WHERE sequence = {place}",
        "DELETE FROM events WHERE sequence = {place}",
    ],
)
def test_what_does_not_check_ends_the_reading_at_the_same_event_for_the_same_reason(
    path: Path, ahead: Watched, place: int, change: str
) -> None:
    tamper(path, change.format(place=place))
    found = read(path)
    assert found == read_alone(path)
    assert found[1] != "" or (place, change[:6]) == (EVENTS, "DELETE")
    assert ahead.processes


def test_a_process_that_is_killed_costs_no_event(path: Path, ahead: Watched) -> None:
    with closing(open_journal(path, is_read_only=True)) as journal:
        told = journal.read()
        found = [*islice(told, 40)]
        (process,) = ahead.processes
        assert process is not None
        process.kill()
        process.wait()
        found += told
    assert (found, "") == read_alone(path)
    assert ahead.events > 0


@pytest.mark.parametrize("program", [FORGED, SILENT, BROKEN_OFF, OTHER_WORDS, "raise SystemExit", "("])
def test_what_a_process_says_that_is_not_the_journal_is_not_believed(
    path: Path, ahead: Watched, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "_PROGRAM", program)
    monkeypatch.setattr(read_ahead, "PATIENCE_S", 0.01)
    assert read(path) == read_alone(path)
    assert ahead.events == 0
    assert all(process is not None and process.returncode is not None for process in ahead.processes)


def test_where_no_process_can_be_started_the_journal_is_read_without(
    path: Path, ahead: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert read(path) == read_alone(path)
    assert ahead.processes == [None]


def test_the_process_ends_with_whoever_stops_reading(path: Path, ahead: Watched) -> None:
    with closing(open_journal(path, is_read_only=True)) as journal:
        told = journal.read()
        assert len([*islice(told, 40)]) == 40
        (process,) = ahead.processes
        assert process is not None
        assert process.returncode is None
        told.close()  # type: ignore[attr-defined]
        assert process.returncode is not None


def test_the_process_is_given_no_variable_and_no_file_of_ours(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHEN_TO_INVEST_PASSPHRASE", "secret")
    program = "import os; print(sorted(os.environ), sorted(os.listdir('/proc/self/fd')), os.getcwd())"
    monkeypatch.setattr(read_ahead, "_PROGRAM", program)
    with path.open("rb") as held:
        os.set_inheritable(held.fileno(), True)
        process = read_ahead._started(str(path))
    assert process is not None
    said = process.communicate()[0].decode()
    # The fourth is that of the listing itself; Python sets the only variable on its own.
    assert said.replace("['LC_CTYPE']", "[]") == "[] ['0', '1', '2', '3'] /\n"


def test_few_events_to_come_and_a_single_processor_are_read_without(
    path: Path, ahead: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "MANY", EVENTS + 1)
    assert len(read(path)[0]) == EVENTS
    monkeypatch.setattr(read_ahead, "MANY", EVENTS)
    monkeypatch.setattr(read_ahead, "_has_two_processors", lambda: False)
    assert len(read(path)[0]) == EVENTS
    monkeypatch.setattr(read_ahead, "_has_two_processors", lambda: True)
    assert len(read(path, after=1)[0]) == EVENTS - 1
    assert ahead.processes == []
    assert len(read(path)[0]) == EVENTS
    assert len(ahead.processes) == 1


def test_nobody_waits_for_a_process_that_is_not_there_yet(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "_PROGRAM", "import sys; sys.stdin.read()")
    monkeypatch.setattr(read_ahead, "PATIENCE_S", 0.01)
    process = read_ahead._started(str(path))
    assert process is not None
    early = Ahead(process)
    early.begin_after(EMPTY)
    assert process.returncode is None
    early.end()
    assert process.returncode == -signal.SIGKILL
