"""The real executor, killed with SIGKILL, on a real journal, queue and venue: nothing lost or twice."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from executor.main import run
from executor.probe import Point
from tests.conftest import Proof
from tests.faults.homestead import NEXT_DAY, Homestead
from when_to_invest.history import DecisionState

ABOUT_FILLS = frozenset({Point.FILLED_AT_VENUE, Point.FILL_RECORDED})


def finish(homestead: Homestead) -> None:
    """Let a fresh executor recover, the market open, and another one work until nothing is left."""
    assert run(homestead.home, until_idle=True) == 0
    homestead.clock.move_to(NEXT_DAY)
    assert run(homestead.home, until_idle=True) == 0


def assert_exactly_once(homestead: Homestead, decision_ids: list[str]) -> None:
    """One fill at the venue and one in the journal a decision, of exactly what was authorised."""
    fills = {fill.decision_id: fill for fill in homestead.fills()}
    assert len(homestead.fills()) == len(fills) == len(decision_ids)
    for decision_id in decision_ids:
        record, fill = homestead.decision(decision_id), fills[decision_id]
        (trade,) = homestead.venue_trades(decision_id)
        assert (fill.trade_id, fill.quantity) == (trade.trade_id, trade.quantity)
        assert (fill.price_usd, fill.fee_usd) == (trade.price_usd, trade.fee_usd)
        assert trade.quantity == record.filled_quantity == record.authorised_quantity
        assert record.state is DecisionState.FILLED
    assert homestead.book.position("main", "SPX").quantity == sum(fill.quantity for fill in fills.values())
    assert not homestead.book.reservations
    assert homestead.queue.is_empty()
    assert not homestead.queue.dead_letters()
    assert homestead.journal_is_sound()


def killed_at(root: Path, point: Point) -> Homestead:
    """Return a home whose executor was killed at `point` and then finished by others."""
    homestead = Homestead(root / point.value)
    homestead.propose()
    if point in ABOUT_FILLS:
        assert run(homestead.home, until_idle=True) == 0
        homestead.clock.move_to(NEXT_DAY)
    killed = homestead.run(point.value)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finish(homestead)
    return homestead


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Point, Homestead]]:
    """Kill at every point at the same time: most of it is waiting for processes."""
    root = tmp_path_factory.mktemp("killed")
    with ThreadPoolExecutor(max_workers=4) as pool:
        homes = dict(zip(Point, pool.map(lambda point: killed_at(root, point), Point), strict=True))
    yield homes
    for homestead in homes.values():
        homestead.close()


@pytest.mark.slow
@pytest.mark.parametrize("point", Point)
def test_a_kill_at_any_point_ends_in_exactly_one_fill(killed: dict[Point, Homestead], point: Point) -> None:
    assert_exactly_once(killed[point], list(killed[point].decision_ids))


@pytest.mark.slow
def test_a_kill_while_the_venue_holds_back_its_answer_ends_in_exactly_one_fill(tmp_path: Path) -> None:
    homestead = Homestead(tmp_path / "home", settings="[paper]\nack_delay_s = 30.0\n")
    decision_id = homestead.propose()
    process = homestead.start()
    homestead.wait_until(lambda: bool(homestead.decision(decision_id).orders))
    homestead.wait_until(lambda: homestead.venue_knows(decision_id))
    process.kill()
    process.communicate(timeout=30)
    assert homestead.decision(decision_id).state is DecisionState.SENDING
    homestead.configure("")
    finish(homestead)
    assert_exactly_once(homestead, [decision_id])
    homestead.close()


@pytest.mark.slow
@pytest.mark.proof
def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(proof: Proof, tmp_path: Path) -> None:
    for seed in proof.seeds(ci=1, full=60):
        dice = random.Random(seed)  # noqa: S311 - a schedule of kills, no secret
        homestead = Homestead(tmp_path / str(seed))
        decision_ids = [homestead.propose(number) for number in (1, 2)]
        for _ in range(3):
            kill_after(homestead, dice.uniform(0.3, 1.4))
        homestead.run_to_end()
        homestead.clock.move_to(NEXT_DAY)
        kill_after(homestead, dice.uniform(0.3, 1.0))
        homestead.run_to_end()
        assert_exactly_once(homestead, decision_ids)
        homestead.close()


def kill_after(homestead: Homestead, seconds: float) -> None:
    """Start an executor and kill it at a moment nobody chose; it may have ended before."""
    process = homestead.start()
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    process.communicate(timeout=60)
    timer.cancel()
    assert process.returncode in {0, -signal.SIGKILL}
