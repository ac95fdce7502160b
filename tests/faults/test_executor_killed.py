"""The real executor, killed with SIGKILL at every named point, on a real journal, queue and venue."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.probe import Point
from tests.faults.homestead import NEXT_DAY, Homestead
from when_to_invest.history import DecisionState


@pytest.fixture
def homestead(tmp_path: Path) -> Iterator[Homestead]:
    homestead = Homestead(tmp_path / "home")
    yield homestead
    homestead.close()


def finish(homestead: Homestead) -> None:
    """Let the market open and a fresh executor work until nothing is left."""
    ended = homestead.run()
    assert ended.returncode == 0, ended.stderr
    homestead.clock.move_to(NEXT_DAY)
    ended = homestead.run()
    assert ended.returncode == 0, ended.stderr


def assert_once(homestead: Homestead, decision_id: str) -> None:
    """Exactly one fill at the venue, one in the journal, of exactly what was authorised."""
    record = homestead.decision(decision_id)
    (trade,) = homestead.venue_trades(decision_id)
    (fill,) = homestead.fills()
    assert (fill.trade_id, fill.quantity, fill.price_usd) == (trade.trade_id, trade.quantity, trade.price_usd)
    assert trade.quantity == record.filled_quantity == record.authorised_quantity
    assert record.state is DecisionState.FILLED
    assert homestead.book.position("main", "SPX").quantity == trade.quantity
    assert homestead.queue.is_empty()
    assert homestead.journal_is_sound()


@pytest.mark.parametrize("point", Point)
def test_a_kill_at_any_point_ends_in_exactly_one_fill(homestead: Homestead, point: Point) -> None:
    decision_id = homestead.propose()
    is_about_fills = point in {Point.FILLED_AT_VENUE, Point.FILL_RECORDED}
    if is_about_fills:
        assert homestead.run().returncode == 0
        homestead.clock.move_to(NEXT_DAY)
    killed = homestead.run(point.value)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finish(homestead)
    assert_once(homestead, decision_id)
