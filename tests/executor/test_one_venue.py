"""An order goes to the venue that the home has opened, and is looked for nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from executor.one_venue import demand_one_venue
from tests.executor.planned import Planned
from tests.executor.world import World
from tests.fakes.fake_venue import FakeVenue, Mishap
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState

PLACES = ("binance", "coinbase", "kraken", "paper")


@pytest.mark.parametrize("opened", PLACES)
@pytest.mark.parametrize("wanted", PLACES)
def test_what_the_limits_allow_still_goes_to_the_open_venue_alone(opened: str, wanted: str) -> None:
    world = World(venue=FakeVenue(name=opened))
    decision_id = world.gate.propose(venue=wanted)
    world.run()
    is_here = opened == wanted
    assert len(world.venue.submits) == is_here
    assert (world.decision(decision_id).state is DecisionState.WORKING) is is_here
    rejected = [
        event.code for event in world.events(ev.EnvelopeRejected) if isinstance(event, ev.EnvelopeRejected)
    ]
    assert rejected == ([] if is_here else ["mode_mismatch"])


def test_another_venue_is_not_opened_while_an_order_is_at_this_one() -> None:
    world = World()
    world.gate.propose()
    world.run()
    demand_one_venue(world.state().decisions.open(), "paper")
    with pytest.raises(Fault, match="orders are open at paper") as failure:
        demand_one_venue(world.state().decisions.open(), "kraken")
    assert failure.value.code is ErrorCode.MODE_MISMATCH


def test_an_order_of_unknown_outcome_is_at_its_venue_too() -> None:
    world = World(venue=FakeVenue(absence_is_authoritative=False))
    world.venue.plan.append(Mishap.LOST_AFTER)
    world.gate.propose()
    service = world.executor()
    service.start()
    service.step(wait_s=0)
    with pytest.raises(Fault, match="orders are open at paper"):
        demand_one_venue(world.state().decisions.open(), "kraken")


def test_what_has_ended_holds_nobody() -> None:
    world = World()
    decision_id = world.gate.propose()
    world.run()
    world.venue.trade(world.working_order(decision_id), world.decision(decision_id).authorised_quantity)
    world.run()
    assert world.decision(decision_id).state is DecisionState.FILLED
    demand_one_venue(world.state().decisions.open(), "kraken")


def test_a_plan_between_two_slices_belongs_to_its_venue() -> None:
    world = Planned()
    decision_id = world.propose()
    world.quote()
    world.run(rounds=1)
    record = world.decision(decision_id)
    assert record.working is not None
    assert record.working.planned is not None
    between = replace(record, orders={})
    with pytest.raises(Fault, match="orders are open at paper"):
        demand_one_venue([between], "kraken")
    demand_one_venue([between], "paper")
