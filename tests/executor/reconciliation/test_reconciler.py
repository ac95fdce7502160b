"""Venue and journal are compared while trading goes on: differences are told, and nothing is put right."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from executor.venues.port import VenueOrder, VenueStatus
from tests.executor.world import Executor, World
from when_to_invest.breakers import TradingState
from when_to_invest.reconciliation import (
    BalancesTaken,
    ReconciliationAgreed,
    ReconciliationDiffered,
    Subject,
)

ENOUGH = 12


@pytest.fixture
def world() -> World:
    return World()


def begun(world: World) -> Executor:
    service = world.executor()
    service.start()
    service.reconcile()
    return service


def looked(service: Executor, *, times: int = ENOUGH) -> None:
    for _ in range(times):
        service.reconcile()


def traded(world: World, service: Executor) -> tuple[str, str]:
    """Have one order executed in full, and booked."""
    decision_id = world.gate.propose()
    while service.step(wait_s=0):
        pass
    order = world.working_order(decision_id)
    world.venue.trade(order, world.decision(decision_id).authorised_quantity)
    while service.step(wait_s=0):
        pass
    return decision_id, order


def told(world: World) -> list[tuple[Subject, str]]:
    events = world.events(ReconciliationDiffered)
    return [event.point for event in events if isinstance(event, ReconciliationDiffered)]


def state_of(world: World, scope: str) -> TradingState:
    return world.book.trading_states.get(scope, TradingState.ACTIVE)


def test_an_honest_venue_differs_in_nothing(world: World) -> None:
    service = begun(world)
    assert len(world.events(BalancesTaken)) == 1
    traded(world, service)
    world.gate.propose(2)
    service.step(wait_s=0)
    looked(service)
    assert told(world) == []
    assert len(world.events(BalancesTaken)) == 1


def test_first_balances_wait_until_nothing_is_open(world: World) -> None:
    world.gate.propose()
    service = world.run()
    looked(service)
    assert world.events(BalancesTaken) == []


@pytest.mark.parametrize("by", ["0.01", "-5"])
def test_cash_that_no_trade_explains_is_told_once_and_stops_buying(world: World, by: str) -> None:
    service = begun(world)
    traded(world, service)
    world.venue.cash_usd += Decimal(by)
    looked(service, times=2)
    assert told(world) == []
    looked(service)
    assert told(world) == [(Subject.BALANCE, "USD")]
    assert state_of(world, "venue:paper") is TradingState.REDUCING
    assert '"reconciliation_differed"' in world.log.getvalue()
    again = world.executor()
    again.start()
    looked(again)
    assert told(world) == [(Subject.BALANCE, "USD")]
    world.venue.cash_usd -= Decimal(by)
    looked(again)
    assert len(world.events(ReconciliationAgreed)) == 1
    assert state_of(world, "venue:paper") is TradingState.REDUCING


def test_an_order_that_nobody_here_sent(world: World) -> None:
    service = begun(world)
    foreign = VenueOrder("0", "O-1", VenueStatus.WORKING, Decimal(0), "SPX")
    world.venue.orders["O-1"] = foreign
    looked(service)
    assert told(world) == [(Subject.ORDER_FOREIGN, "O-1")]
    assert state_of(world, "instrument:SPX") is TradingState.REDUCING
    world.venue.orders["O-1"] = replace(foreign, status=VenueStatus.CANCELLED)
    looked(service)
    assert len(world.events(ReconciliationAgreed)) == 1


def test_an_order_of_ours_that_the_venue_has_lost(world: World) -> None:
    service = begun(world)
    decision_id = world.gate.propose()
    service.step(wait_s=0)
    order = world.working_order(decision_id)
    world.venue.orders.pop(order)
    looked(service)
    assert told(world) == [(Subject.ORDER_LOST, order)]


def test_an_order_of_ours_that_works_although_it_has_ended(world: World) -> None:
    service = begun(world)
    _, order = traded(world, service)
    world.venue.orders[order] = replace(world.venue.orders[order], status=VenueStatus.WORKING)
    looked(service)
    assert (Subject.ORDER_UNKNOWN, order) in told(world)


def test_a_trade_that_is_not_booked_and_one_that_the_venue_takes_back(world: World) -> None:
    service = begun(world)
    _, order = traded(world, service)
    (trade,) = world.venue.executed[order]
    world.venue.executed[order] = [trade, replace(trade, trade_id="t-other")]
    looked(service)
    assert (Subject.TRADE_UNBOOKED, order) in told(world)
    world.venue.executed[order] = []
    looked(service)
    assert (Subject.TRADE_MISSING, order) in told(world)


def test_a_venue_that_does_not_answer_is_looked_at_another_time(world: World) -> None:
    service = begun(world)
    world.venue.cash_usd += 1
    world.venue.is_deaf = True
    looked(service)
    assert told(world) == []
    world.venue.is_deaf = False
    looked(service)
    assert told(world) == [(Subject.BALANCE, "USD")]


def test_trades_that_are_told_late_alarm_nobody(world: World) -> None:
    service = begun(world)
    for number in range(1, 6):
        decision_id = world.gate.propose(number)
        service.step(wait_s=0)
        order = world.working_order(decision_id)
        world.venue.trade(order, world.decision(decision_id).authorised_quantity)
        looked(service, times=2)
        service.step(wait_s=0)
    looked(service)
    assert told(world) == []
