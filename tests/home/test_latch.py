"""The latch halts with nothing but a disk, survives, and is never taken for open when in doubt."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.latch import UNREADABLE, Latch
from when_to_invest.breakers import Halt, TradingState, state_under
from when_to_invest.errors import ErrorCode, Fault

AT = datetime(2018, 6, 4, 21, 5, tzinfo=UTC)
EVERYTHING = Halt("system", TradingState.HALTED, AT, "alice", "drill")


@pytest.fixture
def latch(tmp_path: Path) -> Latch:
    return Latch(tmp_path / "halts")


def file_of(latch: Latch, halt: Halt) -> Path:
    return latch._directory / f"{halt.latch_id}.json"


def is_everything_halted(latch: Latch) -> bool:
    return state_under(latch.read(), scopes=("system",)) is TradingState.HALTED


def test_a_fresh_home_is_not_halted_and_looking_writes_nothing(latch: Latch) -> None:
    assert latch.read() == ()
    assert not latch._directory.exists()


@pytest.mark.parametrize("scope", ["system", "account:main", "venue:paper", "instrument:BTC/USDT"])
@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
def test_what_was_dropped_is_what_every_process_reads(latch: Latch, scope: str, state: TradingState) -> None:
    dropped = latch.drop(Halt(scope, state, AT, "alice", "it looks wrong"))
    assert Latch(latch._directory).read() == (dropped,)
    assert (dropped.scope, dropped.state, dropped.by, dropped.why) == (
        scope,
        state,
        "alice",
        "it looks wrong",
    )


def test_only_the_owner_can_read_it(latch: Latch) -> None:
    dropped = latch.drop(EVERYTHING)
    assert stat.S_IMODE(file_of(latch, dropped).stat().st_mode) == 0o600
    assert stat.S_IMODE(latch._directory.stat().st_mode) == 0o700


def test_two_halts_are_two_latches_and_lifting_one_leaves_the_other(latch: Latch) -> None:
    first, second = latch.drop(EVERYTHING), latch.drop(EVERYTHING)
    assert latch.lift({first.latch_id}) == 1
    assert latch.read() == (second,)
    assert latch.lift({first.latch_id}) == 0


@given(damage=st.binary(max_size=300))
def test_a_file_that_is_not_what_was_written_halts_everything(
    tmp_path_factory: pytest.TempPathFactory, damage: bytes
) -> None:
    latch = Latch(tmp_path_factory.mktemp("halts"))
    (latch._directory / "h-0123456789abcdef.json").write_bytes(damage)
    assert is_everything_halted(latch)


@pytest.mark.parametrize("field", ["scope", "state", "at", "by", "why"])
def test_an_edited_latch_halts_everything(latch: Latch, field: str) -> None:
    dropped = latch.drop(Halt("instrument:SPX", TradingState.REDUCING, AT, "alice", "drill"))
    told = json.loads(file_of(latch, dropped).read_text())
    file_of(latch, dropped).write_text(json.dumps({**told, field: "instrument:GLD"}))
    (read,) = latch.read()
    assert (read.scope, read.state, read.by) == ("system", TradingState.HALTED, UNREADABLE)
    assert read.latch_id == dropped.latch_id


@pytest.mark.parametrize("length", [0, 1, 20, 100])
def test_a_torn_latch_halts_everything(latch: Latch, length: int) -> None:
    dropped = latch.drop(Halt("instrument:SPX", TradingState.REDUCING, AT, "alice", "drill"))
    os.truncate(file_of(latch, dropped), length)
    assert is_everything_halted(latch)


def test_a_foreign_file_halts_everything_until_it_is_lifted_by_its_id(latch: Latch) -> None:
    latch.drop(EVERYTHING)
    (latch._directory / "notes.txt").write_text("what is this?")
    ids = {halt.latch_id for halt in latch.read()}
    assert latch.lift(ids) == 2
    assert latch.read() == ()


def test_an_unreadable_latch_halts_everything(latch: Latch) -> None:
    (latch._directory / "h-0123456789abcdef.json").mkdir(parents=True)
    assert is_everything_halted(latch)


def test_an_unreadable_directory_halts_everything_and_lets_nobody_write(tmp_path: Path) -> None:
    (tmp_path / "halts").write_text("a file where the latches belong")
    latch = Latch(tmp_path / "halts")
    assert is_everything_halted(latch)
    with pytest.raises(Fault) as caught, latch.writing():
        pass
    assert caught.value.code is ErrorCode.STORAGE_FAILED


def test_a_full_disk_still_halts_everything(latch: Latch, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Latch, _path: Path, _line: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Latch, "_write", full)
    latch.drop(Halt("instrument:SPX", TradingState.HALTED, AT, "alice", "drill"))
    assert is_everything_halted(latch)


def test_what_cannot_be_dropped_at_all_says_that_nothing_is_halted(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no directory")
    with pytest.raises(Fault) as caught:
        Latch(tmp_path / "home" / "halts").drop(EVERYTHING)
    assert caught.value.code is ErrorCode.STORAGE_FAILED
    assert "NOTHING IS HALTED" in caught.value.message


@pytest.mark.parametrize(
    "halt",
    [
        Halt("everything", TradingState.HALTED, AT, "alice", "no such scope"),
        Halt("system", TradingState.ACTIVE, AT, "alice", "that would loosen"),
        Halt("system", TradingState.HALTED, AT, "Alice Smith", "no name"),
        Halt("system", TradingState.HALTED, AT, "alice", "two\nlines"),
        Halt("system", TradingState.HALTED, AT, "alice", "x" * 201),
    ],
)
def test_what_the_journal_could_not_hold_is_not_dropped(latch: Latch, halt: Halt) -> None:
    with pytest.raises(Fault) as caught:
        latch.drop(halt)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT
    assert latch.read() == ()


def test_it_is_quiet_only_once_every_write_under_way_has_ended(latch: Latch) -> None:
    with latch.writing() as before:
        assert before == ()
        dropped = latch.drop(EVERYTHING)
        assert not latch.quiet(timeout_s=0.02)
        with latch.writing() as halts:
            assert halts == (dropped,)
    assert latch.quiet(timeout_s=0.0)


def test_nothing_is_written_after_quiet_whoever_races(latch: Latch) -> None:
    """Writers that look inside the block never write once a drop was followed by quiet."""
    written: list[int] = []
    is_over = threading.Event()

    def write_on() -> None:
        while not is_over.is_set():
            with latch.writing() as halts:
                if not halts:
                    written.append(1)

    writers = [threading.Thread(target=write_on) for _ in range(4)]
    for writer in writers:
        writer.start()
    latch.drop(EVERYTHING)
    assert latch.quiet(timeout_s=10.0)
    count = len(written)
    is_over.set()
    for writer in writers:
        writer.join()
    assert len(written) == count


def test_a_writer_that_is_killed_lets_quiet_come(latch: Latch) -> None:
    holding = (
        "import sys, pathlib\nfrom home.latch import Latch\n"
        "with Latch(pathlib.Path(sys.argv[1])).writing():\n    print('holding', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", holding, str(latch._directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    with writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert not latch.quiet(timeout_s=0.0)
        writer.kill()
        writer.wait()
        assert latch.quiet(timeout_s=10.0)
