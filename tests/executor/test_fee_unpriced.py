"""A fee in an asset that nobody can price is booked as what it is, and stops its venue, nothing else."""

from __future__ import annotations

from decimal import Decimal

from executor.venues.port import Trade, VenueOrder, VenueStatus
from tests.executor.world import World
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.history import DecisionState
from when_to_invest.reconciliation import Charge


def filled_with(world: World, charge: Charge | None) -> str:
    decision_id = world.gate.propose()
    world.run()
    order, quantity = world.working_order(decision_id), world.decision(decision_id).authorised_quantity
    trade = Trade("t-1", order, quantity, Decimal(100), Decimal(0), world.clock.now(), charge)
    world.venue.orders[order] = VenueOrder(order, "F0", VenueStatus.FILLED, quantity)
    world.venue.executed[order] = [trade]
    world.run()
    return decision_id


def state_of(world: World, scope: str) -> TradingState:
    return world.book.trading_states.get(scope, TradingState.ACTIVE)


def test_the_fill_is_booked_once_with_what_was_taken_and_its_venue_halts() -> None:
    world = World()
    charge = Charge(asset="KFEE", units=Decimal("0.25"), is_priced=False)
    decision_id = filled_with(world, charge)
    world.run()
    (fill,) = world.decision(decision_id).fills
    assert (fill.fee_usd, fill.charge) == (Decimal(0), charge)
    assert world.decision(decision_id).state is DecisionState.FILLED
    assert state_of(world, "venue:paper") is TradingState.HALTED
    assert state_of(world, "system") is TradingState.ACTIVE
    (halt,) = world.events(ev.TradingStateChanged)
    assert isinstance(halt, ev.TradingStateChanged)
    assert halt.why == "the fee of trade t-1 is 0.25 KFEE, which has no price"
    assert '"fee_unpriced"' in world.log.getvalue()


def test_a_fee_that_has_a_price_or_is_in_dollars_stops_nothing() -> None:
    for charge in (Charge(asset="BNB", units=Decimal("0.25")), None):
        world = World()
        decision_id = filled_with(world, charge)
        assert world.decision(decision_id).fills[0].charge == charge
        assert not world.events(ev.TradingStateChanged)


def test_a_fill_without_a_charge_is_written_as_it_always_was() -> None:
    world = World()
    decision_id = filled_with(world, None)
    fill = world.decision(decision_id).fills[0]
    assert b"charge" not in fill.canonical()
    assert ev.event_from_json(fill.canonical()) == fill
