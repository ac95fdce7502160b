"""One idea through every real process, with the executor killed at each named point.

The agent, the market server and the orders server run as users run them; the executor is
ended by SIGKILL at one point a time and started again. Whatever the point: one order at the
venue, one fill in the journal, the whole quantity, and a journal that verifies.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.demo.stage import Stage, plain_environment
from cli.demo.story import closes_after
from executor.probe import Point
from ledger.verify import verify_journal
from when_to_invest.history import DecisionRecord, DecisionState

pytestmark = [pytest.mark.flow, pytest.mark.timeout(300)]

FIRST_EVENING = datetime(2017, 6, 29, 22, tzinfo=UTC)
AFTER_THE_FILL = frozenset({Point.FILLED_AT_VENUE, Point.FILL_RECORDED})
GROWTH = 1.6
"""Of the total from idea to idea: what is held stays well below it, so that each one buys."""
POINTS = [point for point in Point if point is not Point.RECOVERED]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    root = tmp_path_factory.mktemp("home")
    with Stage(root, start_at=FIRST_EVENING, ack_delay_s=0.0, has_executor=False) as running:
        yield running


@pytest.fixture(scope="module")
def days(stage: Stage) -> Iterator[datetime]:
    return closes_after(stage, "SPX", FIRST_EVENING, count=3 * len(POINTS))


def run_executor(stage: Stage, *, kill_at: Point | None) -> int:
    program = (
        ["-m", "cli", "executor", "--until-idle"]
        if kill_at is None
        else [str(Path(__file__).parent / "killed_executor.py"), str(stage.home.root), kill_at.value]
    )
    done = subprocess.run(
        [sys.executable, *program],
        env=plain_environment(stage.home) | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode


def propose(stage: Stage, *, total_usd: int) -> str:
    """Ask for so much in all: what earlier ideas bought counts towards it."""
    answer = stage.ask(f"Go ahead: propose an order for SPX with {total_usd} USD in all.")
    assert len(answer["decisions"]) == 1, answer["text"]
    decision_id: str = answer["decisions"][0]
    stage.wait_for_state(decision_id, DecisionState.QUEUED)
    return decision_id


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.value)
def test_a_killed_executor_fills_exactly_once(stage: Stage, days: Iterator[datetime], point: Point) -> None:
    decision_id = propose(stage, total_usd=int(100 * GROWTH ** POINTS.index(point)))
    if point in AFTER_THE_FILL:
        assert run_executor(stage, kill_at=None) == 0
        stage.clock.move_to(next(days))
    assert run_executor(stage, kill_at=point) == -signal.SIGKILL
    assert run_executor(stage, kill_at=None) == 0
    if point not in AFTER_THE_FILL:
        stage.clock.move_to(next(days))
        assert run_executor(stage, kill_at=None) == 0
    record = stage.record(decision_id)
    assert record.state is DecisionState.FILLED
    assert record.filled_quantity == record.authorised_quantity
    assert len(record.fills) == 1
    assert executed_at_venue(stage, record) == record.authorised_quantity
    assert verify_journal(stage.home.journal).ok


def executed_at_venue(stage: Stage, record: DecisionRecord) -> object:
    """Ask the venue's own books, under every client order id the decision ever used."""
    found = [stage.venue_order(client_order_id) for client_order_id in record.orders]
    return sum(order.filled_quantity for order in found if order is not None)
