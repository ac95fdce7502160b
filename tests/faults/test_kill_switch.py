"""The kill switch with real processes: nothing is sent afterwards, open orders are cancelled."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.commands import halting
from cli.main import main
from executor.main import run
from executor.probe import Point
from executor.venues.paper_book import PaperBook
from home.latch import Latch
from ledger.sqlite_journal import open_journal
from tests.faults.homestead import NEXT_DAY, Homestead
from when_to_invest import events as ev
from when_to_invest.breakers import Halt, TradingState
from when_to_invest.history import DecisionState

ROOT = Path(__file__).parents[2]


@pytest.fixture
def homestead(tmp_path: Path) -> Iterator[Homestead]:
    homestead = Homestead(tmp_path / "home")
    yield homestead
    homestead.close()


def command(homestead: Homestead, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command line as a person would, with nothing in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments, "--home", str(homestead.root), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )


def halt(homestead: Homestead, *arguments: str) -> dict[str, object]:
    done = command(homestead, "halt", "--as", "alice", "--reason", "drill", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def ever_sent(homestead: Homestead) -> set[str]:
    """Return every client order id that the venue's own book has heard of."""
    return orders_at_venue(homestead, "%")


def orders_at_venue(homestead: Homestead, status: str) -> set[str]:
    """Return the client order ids in the venue's own book whose status is like `status`."""
    with closing(PaperBook(homestead.home.paper_venue)):
        pass  # makes the book when the executor never came that far
    with closing(sqlite3.connect(homestead.home.paper_venue)) as book:
        found = book.execute("SELECT client_order_id FROM orders WHERE status LIKE ?", (status,))
        return {client_order_id for (client_order_id,) in found}


def test_a_halt_is_in_force_journalled_and_quiet_at_once(
    homestead: Homestead, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(halting, "JOURNAL_S", 60.0)  # however busy this machine is
    pulled = ["halt", "--as", "alice", "--reason", "drill", "--home", str(homestead.root), "--json"]
    assert main(pulled) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["scope"], told["state"], told["by"], told["why"]) == ("system", "halted", "alice", "drill")
    assert (told["quiet"], told["journalled"]) == (True, True)
    (event,) = homestead.kinds(ev.TradingStateChanged)
    assert isinstance(event, ev.TradingStateChanged)
    assert event.latch_id == told["latch_id"]
    assert Latch(homestead.home.halts).read()[0].latch_id == told["latch_id"]


def test_whatever_a_halt_says_of_the_journal_it_is_told_there_once(homestead: Homestead) -> None:
    told = halt(homestead)
    assert told["quiet"]
    assert homestead.kinds(ev.TradingStateChanged) or not told["journalled"]
    assert run(homestead.home, until_idle=True) == 0
    (event,) = homestead.kinds(ev.TradingStateChanged)
    assert isinstance(event, ev.TradingStateChanged)
    assert event.latch_id == told["latch_id"]


def test_a_halted_home_sends_nothing_and_cancels_what_is_open(homestead: Homestead) -> None:
    working = homestead.propose(1)
    assert run(homestead.home, until_idle=True) == 0
    queued = homestead.propose(2)
    halt(homestead)
    assert run(homestead.home, until_idle=True) == 0
    assert homestead.decision(working).state is DecisionState.CANCELLED
    assert homestead.decision(queued).state is DecisionState.REJECTED
    assert not homestead.decision(queued).orders
    homestead.clock.move_to(NEXT_DAY)
    assert run(homestead.home, until_idle=True) == 0
    assert not homestead.fills()
    assert homestead.journal_is_sound()


def test_a_reducing_home_keeps_no_purchase_open_and_buys_nothing_new(homestead: Homestead) -> None:
    working = homestead.propose(1)
    assert run(homestead.home, until_idle=True) == 0
    queued = homestead.propose(2)
    halt(homestead, "--reducing", "--scope", "instrument:SPX")
    assert run(homestead.home, until_idle=True) == 0
    assert homestead.decision(working).state is DecisionState.CANCELLED
    assert homestead.decision(queued).state is DecisionState.REJECTED
    homestead.clock.move_to(NEXT_DAY)
    assert run(homestead.home, until_idle=True) == 0
    assert not homestead.fills()


def test_another_scope_goes_on(homestead: Homestead) -> None:
    halt(homestead, "--scope", "instrument:IXIC")
    decision_id = homestead.propose()
    assert run(homestead.home, until_idle=True) == 0
    assert homestead.decision(decision_id).state is DecisionState.WORKING


@pytest.mark.slow
def test_the_switch_pulled_while_the_executor_runs_cancels_within_its_round(homestead: Homestead) -> None:
    decision_id = homestead.propose()
    process = homestead.start("forever")
    homestead.wait_until(lambda: homestead.decision(decision_id).state is DecisionState.WORKING)
    told = halt(homestead)
    late = homestead.gate.sealed_if_approved(2)
    homestead.wait_until(lambda: homestead.decision(decision_id).state is DecisionState.CANCELLED)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    lines = [json.loads(line) for line in errors.splitlines()]
    assert {"event": "stopped_orders_cancelled", "orders": 1}.items() <= {
        key: value
        for line in lines
        if line["event"] == "stopped_orders_cancelled"
        for key, value in line.items()
    }.items()
    assert told["quiet"]
    assert late is None


@pytest.mark.slow
@pytest.mark.parametrize("point", [Point.SEND_INTENDED, Point.CLEARED, Point.SUBMITTED, Point.ACKNOWLEDGED])
def test_an_executor_killed_at_any_point_and_a_switch_pulled_then_leave_nothing_open(
    homestead: Homestead, point: Point
) -> None:
    decision_id = homestead.propose()
    assert homestead.run(point.value).returncode == -signal.SIGKILL
    sent_before = ever_sent(homestead)
    assert halt(homestead)["quiet"]
    homestead.run_to_end()
    homestead.clock.move_to(NEXT_DAY)
    homestead.run_to_end()
    assert ever_sent(homestead) <= sent_before
    assert not homestead.fills()
    assert homestead.decision(decision_id).state in {DecisionState.CANCELLED, DecisionState.REJECTED}
    assert not homestead.book.reservations
    assert homestead.journal_is_sound()


def test_a_locked_journal_delays_no_halt(homestead: Homestead) -> None:
    with closing(sqlite3.connect(homestead.home.journal, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        told = halt(homestead)
        other.execute("ROLLBACK")
    assert (told["quiet"], told["journalled"]) == (True, False)
    assert not homestead.kinds(ev.TradingStateChanged)
    assert run(homestead.home, until_idle=True) == 0
    (event,) = homestead.kinds(ev.TradingStateChanged)
    assert isinstance(event, ev.TradingStateChanged)
    assert (event.by, event.why, event.latch_id) == ("alice", "drill", told["latch_id"])


@pytest.mark.parametrize("damage", ["corrupt journal", "no journal", "corrupt settings", "no clock"])
def test_a_home_in_ruins_can_still_be_halted(homestead: Homestead, damage: str) -> None:
    homestead.journal.close()
    match damage:
        case "corrupt journal":
            homestead.home.journal.write_bytes(b"no database" * 1000)
        case "no journal":
            homestead.home.journal.unlink()
        case "corrupt settings":
            homestead.home.config.write_text("this is = = not toml")
        case _:
            homestead.home.clock.unlink()
    told = halt(homestead)
    assert told["quiet"]
    assert Latch(homestead.home.halts).read()[0].scope == "system"
    assert (damage == "no journal") is (not homestead.home.journal.exists())


@pytest.mark.slow
@pytest.mark.parametrize("how_far", [[], ["--reducing"]])
def test_a_running_executor_cancels_while_the_journal_cannot_be_written(
    homestead: Homestead, how_far: list[str]
) -> None:
    decision_id = homestead.propose()
    process = homestead.start("forever")
    homestead.wait_until(lambda: homestead.decision(decision_id).state is DecisionState.WORKING)
    (order,) = homestead.decision(decision_id).orders
    with closing(sqlite3.connect(homestead.home.journal, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        halt(homestead, *how_far)
        homestead.wait_until(lambda: order in orders_at_venue(homestead, "cancelled"))
        assert homestead.decision(decision_id).state is DecisionState.WORKING
        other.execute("ROLLBACK")
    homestead.wait_until(lambda: homestead.decision(decision_id).state is DecisionState.CANCELLED)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_a_defect_drops_the_latch_too(homestead: Homestead) -> None:
    class Broken:
        def reached(self, point: Point) -> None:
            if point is Point.JUDGED:
                raise ZeroDivisionError

    homestead.propose()
    with pytest.raises(Exception, match="halted trading"):
        run(homestead.home, until_idle=True, probe=Broken())
    (latched,) = Latch(homestead.home.halts).read()
    assert (latched.scope, latched.state, latched.by) == ("system", TradingState.HALTED, "executor")
    (told,) = homestead.kinds(ev.TradingStateChanged)
    assert isinstance(told, ev.TradingStateChanged)
    assert told.latch_id == latched.latch_id


def test_a_latch_that_falls_between_judgement_and_write_stops_the_order(homestead: Homestead) -> None:
    class Pulls:
        def reached(self, point: Point) -> None:
            if point is Point.SEND_INTENDED:
                latch = Latch(homestead.home.halts)
                latch.drop(Halt("account:main", TradingState.HALTED, homestead.clock.now(), "alice", "drill"))

    decision_id = homestead.propose()
    assert run(homestead.home, until_idle=True, probe=Pulls()) == 0
    assert not ever_sent(homestead)
    record = homestead.decision(decision_id)
    assert record.state is DecisionState.REJECTED
    assert not homestead.book.reservations


@pytest.mark.slow
def test_quiet_waits_for_the_order_that_is_leaving(tmp_path: Path) -> None:
    homestead = Homestead(tmp_path / "home", settings="[paper]\nack_delay_s = 2.0\n")
    decision_id = homestead.propose()
    process = homestead.start("forever")
    homestead.wait_until(lambda: homestead.venue_knows(decision_id))
    told = halt(homestead)
    homestead.wait_until(lambda: homestead.decision(decision_id).state is DecisionState.CANCELLED)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert not told["quiet"]
    assert not homestead.fills()
    homestead.close()


def test_thirty_processes_can_halt_at_once(homestead: Homestead) -> None:
    def pull(number: int) -> None:
        halt = Halt("system", TradingState.HALTED, homestead.clock.now(), f"p{number}", "race")
        Latch(homestead.home.halts).drop(halt)

    threads = [threading.Thread(target=pull, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run(homestead.home, until_idle=True) == 0
    with closing(open_journal(homestead.home.journal, is_read_only=True)) as journal:
        told = [item.event for item in journal.read() if isinstance(item.event, ev.TradingStateChanged)]
    assert sorted(event.by for event in told) == sorted(f"p{number}" for number in range(30))
