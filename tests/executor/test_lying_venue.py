"""A venue that lies about its trades: what is booked is what was executed, or the system is halted."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from decimal import Decimal

import pytest

from executor.main import keep_working
from executor.reconciling import MOST_LOOKS
from executor.service import Service
from executor.venues.port import Trade, VenueOrder, VenueStatus
from tests.conftest import Proof
from tests.executor.by_hand import run
from tests.executor.lying_venue import HARMLESS, Lie, LyingVenue
from tests.executor.world import World
from tests.fakes.fake_market import SPX, FakeMarket, quiet_week
from when_to_invest.breakers import SYSTEM, TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.instruments import Instrument
from when_to_invest.orders import OrderState

NAMES = ("SPX", "IXIC")
FROM_THE_START = frozenset({Lie.REUSED_ID, Lie.NUMBERED_BY_SYMBOL})
"""Numbering does not change while orders are followed."""


def lying_world() -> tuple[World, LyingVenue]:
    venue = LyingVenue()
    market = FakeMarket(
        instruments=[like_spx(name) for name in NAMES], bars={name: quiet_week() for name in NAMES}
    )
    return World(market=market, venue=venue), venue


def like_spx(name: str) -> Instrument:
    return SPX.model_copy(update={"id": name})


def worked(world: World) -> Fault | None:
    """Let a fresh executor work as its process does; return what ended it early."""
    parts = world.parts()
    try:
        run(keep_working(Service(parts), parts=parts, until_idle=True))
    except Fault as fault:
        return fault
    return None


def booked(world: World) -> dict[str, Decimal]:
    records = world.state().decisions.values()
    return {name: order.filled_quantity for record in records for name, order in record.orders.items()}


def is_halted(world: World) -> bool:
    told = world.book.trading_states
    return any(told.get(scope) is TradingState.HALTED for scope in (SYSTEM, "venue:paper"))


class Course:
    """One seed: four orders, some trades and ends, and one lie from some moment on."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - a seeded schedule, no secret
        self.world, self.venue = lying_world()
        self.lie = list(Lie)[seed % len(Lie)]
        for number in range(1, 5):
            self.world.gate.propose(number, instrument=self.dice.choice(NAMES), quantity=Decimal(5) + number)
        worked(self.world)
        if self.lie in FROM_THE_START:
            self.venue.lies = dict.fromkeys(self.venue.orders, self.lie)

    def run(self) -> bool:
        """Return whether it ended halted; it ends at the first halt."""
        for _ in range(8):
            self.dice.choice([self.trade, self.trade, self.trade, self.end, self.begin_to_lie])()
            if self.dice.random() < 0.7 and self.is_halted_after_work():
                return True
        return self.is_halted_after_work()

    def trade(self) -> None:
        self.venue.trade_some(self.dice)

    def end(self) -> None:
        self.venue.expire(self.dice.choice(list(self.venue.orders)))

    def begin_to_lie(self) -> None:
        if not self.venue.lies:
            self.venue.lies[self.dice.choice(list(self.venue.orders))] = self.lie

    def is_halted_after_work(self) -> bool:
        fault = worked(self.world)
        if is_halted(self.world):
            assert self.venue.lies, fault
            assert self.lie not in HARMLESS, fault
            return True
        assert fault is None, fault
        assert booked(self.world) == self.venue.truth()
        return False


@pytest.mark.proof
def test_whatever_a_venue_says_its_truth_is_booked_or_the_system_is_halted(proof: Proof) -> None:
    halted: set[Lie] = set()
    for seed in proof.seeds(ci=120, full=8000):
        course = Course(seed)
        try:
            halted |= {course.lie} if course.run() else set()
        except BaseException:
            sys.stderr.write(f"seed {seed}: {course.lie.name}\n")
            raise
    assert halted == set(Lie) - HARMLESS


@pytest.fixture
def world() -> World:
    return World()


def resting(world: World, number: int = 1) -> tuple[str, str]:
    decision_id = world.gate.propose(number)
    world.run()
    return decision_id, world.working_order(decision_id)


def says(world: World, order: str, *parts: tuple[str, int], status: VenueStatus, filled: int) -> None:
    """Let the venue say this of an order, whatever happened."""
    venue = world.venue
    venue.orders[order] = VenueOrder(order, "F", status, Decimal(filled))
    venue.executed[order] = [
        Trade(name, order, Decimal(quantity), Decimal(100), Decimal(0), world.clock.now())
        for name, quantity in parts
    ]


def assert_contradicted(world: World, decision_id: str) -> None:
    """Halted with a reason, and the order still open and reserved."""
    fault = worked(world)
    assert fault is not None
    assert fault.code is ErrorCode.VENUE_CONTRADICTED
    assert is_halted(world)
    assert decision_id in world.book.reservations
    assert world.decision(decision_id).is_open


def test_a_trade_id_of_another_order_does_not_end_this_one_as_if_nothing_traded(world: World) -> None:
    (_, first), (decision_id, second) = resting(world, 1), resting(world, 2)
    says(world, first, ("t-1", 11), status=VenueStatus.FILLED, filled=11)
    says(world, second, ("t-1", 12), status=VenueStatus.CANCELLED, filled=12)
    assert_contradicted(world, decision_id)
    assert worked(world) is not None, "a fresh executor finds it, too"


def test_one_trade_id_for_two_parts_of_an_order_halts(world: World) -> None:
    decision_id, order = resting(world)
    says(world, order, ("t-1", 4), ("t-1", 6), status=VenueStatus.CANCELLED, filled=10)
    assert_contradicted(world, decision_id)


def test_two_equal_parts_under_one_id_are_missed_and_halt(world: World) -> None:
    decision_id, order = resting(world)
    says(world, order, ("t-1", 5), ("t-1", 5), status=VenueStatus.CANCELLED, filled=10)
    assert_contradicted(world, decision_id)


@pytest.mark.parametrize("status", VenueStatus)
def test_fewer_trades_than_executed_halt_in_the_end(world: World, status: VenueStatus) -> None:
    decision_id, order = resting(world)
    says(world, order, ("t-1", 4), status=status, filled=10)
    assert_contradicted(world, decision_id)
    assert world.decision(decision_id).filled_quantity == 4


@pytest.mark.parametrize("status", VenueStatus)
def test_less_executed_than_was_booked_halts(world: World, status: VenueStatus) -> None:
    decision_id, order = resting(world)
    says(world, order, ("t-1", 4), ("t-2", 2), status=VenueStatus.WORKING, filled=6)
    assert worked(world) is None
    says(world, order, ("t-1", 4), status=status, filled=4)
    assert_contradicted(world, decision_id)


def test_a_trade_that_changes_its_price_halts(world: World) -> None:
    decision_id, order = resting(world)
    says(world, order, ("t-1", 4), status=VenueStatus.WORKING, filled=4)
    assert worked(world) is None
    (trade,) = world.venue.executed[order]
    world.venue.executed[order] = [replace(trade, price_usd=Decimal(99))]
    assert_contradicted(world, decision_id)


def test_a_trade_of_another_order_halts(world: World) -> None:
    decision_id, order = resting(world)
    says(world, order, ("t-1", 4), status=VenueStatus.WORKING, filled=4)
    (trade,) = world.venue.executed[order]
    world.venue.executed[order] = [replace(trade, client_order_id="another")]
    assert_contradicted(world, decision_id)


def test_an_order_that_ended_with_too_little_halts_its_venue_at_the_next_start(world: World) -> None:
    decision_id, order = resting(world)
    world.venue.expire(order)
    world.run()
    says(world, order, status=VenueStatus.EXPIRED, filled=7)
    assert worked(world) is None
    assert world.book.trading_states == {"venue:paper": TradingState.HALTED}
    assert world.decision(decision_id).state is DecisionState.EXPIRED
    assert worked(world) is None, "nothing could settle it: it keeps no executor from starting"


def test_what_a_lost_order_traded_is_booked_though_the_venue_rejected_it(world: World) -> None:
    decision_id, order = resting(world)
    says(world, order, ("t-1", 4), status=VenueStatus.REJECTED, filled=4)
    assert worked(world) is None
    record = world.decision(decision_id)
    assert record.orders[order].state is OrderState.CANCELLED
    assert record.filled_quantity == 4


def test_a_doubt_is_forgotten_once_status_and_trades_agree(world: World) -> None:
    decision_id, order = resting(world)
    service = world.executor()
    service.start()
    parts: list[tuple[str, int]] = []
    for filled in (2, 4, 6):
        says(world, order, *parts, status=VenueStatus.WORKING, filled=filled)
        for _ in range(MOST_LOOKS - 2):
            assert service.step(wait_s=0)
        parts.append((f"t-{filled}", 2))
        says(world, order, *parts, status=VenueStatus.WORKING, filled=filled)
        service.step(wait_s=0)
    assert world.decision(decision_id).filled_quantity == 6
    assert not is_halted(world)
    assert not service.step(wait_s=0)


def test_two_instruments_may_number_their_trades_alike() -> None:
    world, _ = lying_world()
    made = [world.gate.propose(number, instrument=name) for number, name in enumerate(NAMES, 1)]
    world.run()
    for number, decision_id in enumerate(made, 1):
        order = world.working_order(decision_id)
        says(world, order, ("1", 10 + number), status=VenueStatus.FILLED, filled=10 + number)
    assert worked(world) is None
    assert [world.decision(each).state for each in made] == [DecisionState.FILLED] * 2
    assert [world.book.position("main", name).quantity for name in NAMES] == [11, 12]
