"""The executor as a process: it starts only when it may, stops when told, and fails loudly."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from executor.lease import sole_executor
from executor.log import Log
from executor.main import assemble, demand_one_mode, run
from executor.patience import SignalPatience
from executor.probe import NoProbe, Point
from executor.venues.port import VenueProfile
from home.callers import RISK
from tests.faults.homestead import NEXT_DAY, SEAL_KEY, Homestead
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.values import Mode


@pytest.fixture
def homestead(tmp_path: Path) -> Iterator[Homestead]:
    homestead = Homestead(tmp_path / "home")
    yield homestead
    homestead.close()


def fault_of(homestead: Homestead) -> Fault:
    with pytest.raises(Fault) as caught:
        run(homestead.home, until_idle=True)
    return caught.value


def test_one_idea_becomes_one_paper_fill(homestead: Homestead) -> None:
    decision_id = homestead.propose()
    assert run(homestead.home, until_idle=True) == 0
    assert homestead.decision(decision_id).state is DecisionState.WORKING
    homestead.clock.move_to(NEXT_DAY)
    assert run(homestead.home, until_idle=True) == 0
    record = homestead.decision(decision_id)
    assert record.state is DecisionState.FILLED
    assert record.fills[0].price_usd <= record.intent.limit_price_usd
    assert record.fills[0].at == NEXT_DAY


def test_it_needs_no_environment_and_logs_json_lines_without_secrets(homestead: Homestead) -> None:
    homestead.propose()
    ended = homestead.run()
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["started", "order_sent", "stopped"]
    keystore = (homestead.home.keys / SEAL_KEY).read_text()
    assert json.loads(keystore)["crypto"]["ciphertext"] not in ended.stderr


def test_a_second_executor_on_one_home_refuses_to_start(homestead: Homestead) -> None:
    with sole_executor(homestead.home):
        assert fault_of(homestead).code is ErrorCode.ALREADY_RUNNING
        ended = homestead.run()
    assert ended.returncode == 3
    assert json.loads(ended.stderr.splitlines()[-1])["error"]["code"] == "already_running"
    assert not homestead.kinds(ev.RecoveryCompleted)


def test_the_lock_dies_with_its_holder(homestead: Homestead) -> None:
    homestead.propose()
    assert homestead.run(Point.SUBMITTED.value).returncode == -signal.SIGKILL
    assert run(homestead.home, until_idle=True) == 0


@pytest.mark.slow
def test_sigterm_ends_it_cleanly(homestead: Homestead) -> None:
    process = homestead.start("forever")
    homestead.wait_until(lambda: bool(homestead.kinds(ev.RecoveryCompleted)))
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert not homestead.kinds(ev.TradingStateChanged)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ('mode = "live"', ErrorCode.MODE_MISMATCH),
        ('venue = "elsewhere"', ErrorCode.BAD_CONFIG),
        ("[limits]\nmax_order_notional_usd = 1000000", ErrorCode.LOOSER_LIMIT),
        ("[limits]\nno_such_limit = 1", ErrorCode.UNKNOWN_CONFIG_KEY),
        ("surprise = 1", ErrorCode.UNKNOWN_CONFIG_KEY),
    ],
)
def test_a_configuration_it_cannot_honour_refuses_to_start(
    homestead: Homestead, settings: str, code: ErrorCode
) -> None:
    homestead.configure(settings)
    assert fault_of(homestead).code is code
    assert not homestead.kinds(ev.TradingStateChanged)


def test_a_replay_clock_never_meets_a_live_venue() -> None:
    live = VenueProfile("exchange", Mode.LIVE, absence_is_authoritative=False)
    with pytest.raises(Fault) as caught:
        demand_one_mode(Mode.REPLAY, live)
    assert caught.value.code is ErrorCode.MODE_MISMATCH


@pytest.mark.parametrize(("on_loss", "is_taken"), [("stop", False), ("reduce", True), ("flatten", True)])
def test_sales_after_a_loss_are_taken_only_where_its_own_configuration_sells(
    homestead: Homestead,
    on_loss: str,
    is_taken: bool,  # noqa: FBT001 - drawn
) -> None:
    homestead.configure(f'[risk]\non_loss = "{on_loss}"\n')
    assert asyncio.run(sells(homestead)) is is_taken


async def sells(homestead: Homestead) -> bool:
    """Return whether an executor of this home takes sales of its own kind."""
    async with AsyncExitStack() as stack:
        parts = assemble(
            homestead.home, stack=stack, patience=SignalPatience(), probe=NoProbe(), log=Log(io.StringIO())
        )
        return RISK in parts.authority.callers


def test_without_the_gates_public_address_it_does_not_start(homestead: Homestead) -> None:
    (homestead.home.keys / SEAL_KEY).unlink()
    assert fault_of(homestead).code is ErrorCode.KEY_MISSING


def test_without_a_queue_it_ends_and_halts_nothing(homestead: Homestead) -> None:
    homestead.configure(
        '[queue]\nkind = "sqs"\nurl = "http://127.0.0.1:9/none.fifo"\nendpoint_url = "http://127.0.0.1:9"'
    )
    assert fault_of(homestead).code in {ErrorCode.QUEUE_UNAVAILABLE, ErrorCode.UNAUTHENTICATED}
    assert not homestead.kinds(ev.TradingStateChanged)


def test_without_a_set_clock_it_does_not_start(homestead: Homestead) -> None:
    homestead.home.clock.unlink()
    assert fault_of(homestead).code is ErrorCode.BAD_CONFIG


def test_a_venue_that_fills_too_much_halts_trading_and_ends_the_process(homestead: Homestead) -> None:
    decision_id = homestead.propose()
    run(homestead.home, until_idle=True)
    (order,) = homestead.decision(decision_id).orders
    with sqlite3.connect(homestead.home.paper_venue) as book:
        book.execute(
            "INSERT INTO trades VALUES ('t-1', ?, '99', '2750', '0', '2018-06-05T14:30:00Z')", (order,)
        )
    book.close()
    ended = homestead.run()
    assert ended.returncode == 1
    assert json.loads(ended.stderr.splitlines()[-1])["error"]["code"] == "fill_exceeds_order"
    assert homestead.book.trading_states == {"system": TradingState.HALTED}
    assert not homestead.fills()


def test_a_defect_halts_trading_and_says_so_in_one_line(homestead: Homestead) -> None:
    class Broken:
        def reached(self, point: Point) -> None:
            raise ZeroDivisionError

    homestead.propose()
    with pytest.raises(Fault) as caught:
        run(homestead.home, until_idle=True, probe=Broken())
    assert caught.value.code is ErrorCode.INTERNAL
    assert "\n" not in caught.value.message
    assert homestead.book.trading_states == {"system": TradingState.HALTED}


def test_a_corrupt_journal_stops_it_before_anything_is_received(homestead: Homestead) -> None:
    homestead.propose()
    homestead.journal.close()
    with sqlite3.connect(homestead.home.journal) as file:
        for (trigger,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {trigger}")
        richer = "CAST(replace(CAST(event AS TEXT), '100000', '900000') AS BLOB)"
        file.execute(f"UPDATE events SET event = {richer} WHERE sequence = 1")  # noqa: S608 - our own text
    file.close()
    assert fault_of(homestead).code is ErrorCode.JOURNAL_CORRUPT
    assert not homestead.queue.is_empty()
