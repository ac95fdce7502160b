"""The throttle stops what comes next: the last order it allows stays, and so do other people's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from executor.venues.port import VenueStatus
from policies.limits import HARD_LIMITS, tighten
from policies.throttle import throttle_why
from tests.executor.by_hand import run
from tests.executor.world import World
from tests.fakes.fake_venue import Mishap
from tests.when_to_invest.tightenings import reducing
from when_to_invest.breakers import Halt, TradingState
from when_to_invest.errors import Fault
from when_to_invest.history import DecisionState
from when_to_invest.intents import Side

LIMITS = tighten(HARD_LIMITS, {"max_repeated_executions": 3})


@pytest.fixture
def world() -> World:
    made = World(limits=LIMITS, callers={"agent": LIMITS})
    made.gate.limits = LIMITS
    return made


def bought(world: World, *numbers: int) -> list[str]:
    """Purchases that rest at the venue, one after the other."""
    made = []
    for number in numbers:
        made.append(world.gate.propose(number, quantity=Decimal(number)))
        world.run()
    return made


def states(world: World, decisions: list[str]) -> set[DecisionState]:
    return {world.decision(decision_id).state for decision_id in decisions}


def test_the_last_purchase_allowed_stays_and_no_other_is_sent(world: World) -> None:
    made = bought(world, 1, 2, 3)
    assert world.book.trading_states == {"instrument:SPX": TradingState.REDUCING}
    assert states(world, made) == {DecisionState.WORKING}
    assert world.gate.sealed_if_approved(4, quantity=Decimal(4)) is None
    world.gate.seal_unjudged(world.gate.intent(5, quantity=Decimal(5)))
    world.run()
    assert len(world.venue.submits) == 3
    assert states(world, made) == {DecisionState.WORKING}


@pytest.mark.parametrize("scope", ["system", "account:main", "venue:paper", "instrument:SPX"])
@pytest.mark.parametrize("why", ["worth more than 80 bps less than at its peak", "drill"])
def test_whatever_else_reduces_cancels_them_all(world: World, scope: str, why: str) -> None:
    made = bought(world, 1, 2, 3)
    world.journal.append([reducing(world.clock.now(), scope=scope, why=why)])
    world.run()
    assert states(world, made) == {DecisionState.CANCELLED}


def test_a_latch_in_the_throttles_words_cancels_them_all(world: World) -> None:
    made = bought(world, 1, 2, 3)
    why = throttle_why(count=3, side=Side.BUY, most=3)
    world.latch.drop(Halt("account:main", TradingState.REDUCING, world.clock.now(), "executor", why))
    world.run()
    assert states(world, made) == {DecisionState.CANCELLED}


def test_a_quarantine_in_a_throttled_instrument_cancels_them_all(world: World) -> None:
    made = bought(world, 1, 2)
    world.venue.plan.append(Mishap.LOST_BEFORE)
    lost = world.gate.propose(3, quantity=Decimal(3))
    service = world.executor()
    service.start()
    service.step(wait_s=0)
    run(
        service._parts.diary.tighten(
            "instrument:SPX", state=TradingState.REDUCING, why=throttle_why(count=3, side=Side.BUY, most=3)
        )
    )
    service.cancel_stopped()
    assert len(world.venue.orders) == 2
    assert {order.status for order in world.venue.orders.values()} == {VenueStatus.WORKING}
    world.venue.is_deaf = True
    with pytest.raises(Fault):
        service.step(wait_s=0)
    world.venue.is_deaf = False
    world.run()
    assert world.decision(lost).state is DecisionState.QUARANTINED
    assert states(world, made) == {DecisionState.CANCELLED}


def test_a_loop_of_sales_stops_the_instrument_with_all_that_is_open(world: World) -> None:
    (first,) = bought(world, 9)
    world.venue.trade(world.working_order(first), Decimal(9))
    world.run()
    sales = []
    for number in (1, 2, 3):
        sale = {"side": Side.SELL, "quantity": Decimal(number), "limit_price_usd": Decimal("100.50")}
        sales.append(world.gate.propose(10 + number, **sale))
        world.run()
    assert world.book.trading_states == {"instrument:SPX": TradingState.HALTED}
    world.run()
    assert states(world, sales) == {DecisionState.CANCELLED}
