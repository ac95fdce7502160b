"""Orders with a plan, worked by the real service on the fake venue: each kind, from intake to its end."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from executor.probe import Point
from tests.executor.planned import TWAP, Planned
from tests.fakes.fake_venue import Mishap
from when_to_invest import events as ev
from when_to_invest.execution import (
    Ending,
    Execution,
    IcebergPlan,
    ImmediatePlan,
    PegPlan,
    PovPlan,
    ShortfallPlan,
    TwapPlan,
    VwapPlan,
)
from when_to_invest.history import DecisionState
from when_to_invest.intents import TimeInForce
from when_to_invest.orders import OrderState
from when_to_invest.workings import ExecutionPlanned


@pytest.fixture
def world() -> Planned:
    return Planned()


def test_receipt_verdicts_plan_and_first_child_are_one_append(world: Planned) -> None:
    class AtTheVenue:
        kinds: tuple[str, ...] = ()

        def reached(self, point: Point) -> None:
            if point is Point.SEND_INTENDED:
                self.kinds = tuple(item.event.kind for item in world.journal.recorded)

    probe = AtTheVenue()
    world.propose()
    world.restart(probe)
    world.step()
    assert probe.kinds[-5:] == (
        "intent_judged",
        "envelope_received",
        "execution_planned",
        "intent_judged",
        "send_intended",
    )


def test_the_plan_keeps_what_the_market_showed_and_the_venue_takes(world: Planned) -> None:
    world.propose()
    world.step()
    (planned,) = world.events(ExecutionPlanned)
    assert isinstance(planned, ExecutionPlanned)
    assert planned.arrival_usd == Decimal(100)
    assert planned.lot_size == Decimal("0.001")
    assert (planned.ends_at - planned.starts_at).total_seconds() == TWAP.duration_s


def test_its_message_is_deleted_once_the_plan_is_durable(world: Planned) -> None:
    world.propose()
    world.step()
    assert world.queue.is_empty()
    assert not world.finished()


def test_a_twap_sends_a_slice_in_each_of_its_stretches(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.walk(450, then=Planned.fill_open)
    children = world.children(decision_id)
    assert [child.sent.quantity for child in children] == [Decimal(3)] * 4
    assert [child.sent.slice_index for child in children] == [0, 1, 2, 3]
    assert world.decision(decision_id).state is DecisionState.FILLED
    assert [end.ending for end in world.finished()] == [Ending.FILLED]
    assert not world.book.reservations


KINDS: list[Execution] = [
    ImmediatePlan(),
    TWAP,
    VwapPlan(duration_s=400, volume_curve=(Decimal(1), Decimal(3), Decimal(2))),
    ShortfallPlan(duration_s=400, slices=4, urgency=Decimal(2)),
    PovPlan(duration_s=400, participation_ratio=Decimal("0.2")),
    IcebergPlan(duration_s=400, display_quantity=Decimal(5)),
    PegPlan(duration_s=400),
]


@pytest.mark.parametrize("plan", KINDS, ids=lambda plan: plan.kind)
def test_every_kind_fills_exactly_what_was_authorised(world: Planned, plan: Execution) -> None:
    def market(at: Planned) -> None:
        at.fill_open()
        at.venue.prints.setdefault("SPX", []).append((at.clock.now(), Decimal(5)))
        at.demand_sound(decision_id)

    decision_id = world.propose(plan)
    world.step()
    world.walk(450, then=market)
    assert world.decision(decision_id).filled_quantity == Decimal(12)
    assert [end.ending for end in world.finished()] == [Ending.FILLED]
    assert not world.book.reservations


@pytest.mark.parametrize("plan", KINDS[1:], ids=lambda plan: plan.kind)
def test_every_kind_ends_with_its_window_and_leaves_nothing_open(world: Planned, plan: Execution) -> None:
    decision_id = world.propose(plan)
    world.step()
    world.walk(450, then=lambda at: at.demand_sound(decision_id))
    assert not world.resting()
    assert [(end.ending, end.unfilled_quantity) for end in world.finished()] == [
        (Ending.WINDOW_ENDED, Decimal(12))
    ]
    assert not world.book.reservations


def test_an_immediate_plan_is_one_order_that_does_not_rest(world: Planned) -> None:
    decision_id = world.propose(ImmediatePlan(collar_bps=Decimal(50)))
    world.step()
    (child,) = world.children(decision_id)
    assert world.venue.requests[child.sent.client_order_id].time_in_force is TimeInForce.IOC
    assert child.sent.limit_price_usd == Decimal("100.50")


def test_a_plan_outlives_its_envelope(world: Planned) -> None:
    decision_id = world.propose(TwapPlan(duration_s=3600, slices=4))
    world.step()
    world.walk(3700, every_s=30, then=Planned.fill_open)
    assert world.decision(decision_id).state is DecisionState.FILLED


def test_without_a_quote_no_plan_begins(world: Planned) -> None:
    world.is_quoted = False
    decision_id = world.propose()
    world.step()
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert not world.venue.submits
    assert not world.book.reservations
    assert world.queue.is_empty()


def test_without_a_quote_nothing_more_leaves_and_the_end_still_comes(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.is_quoted = False
    world.walk(450)
    assert len(world.children(decision_id)) == 1
    assert not world.resting()
    assert [end.ending for end in world.finished()] == [Ending.WINDOW_ENDED]


def test_an_hour_s_absence_does_not_bunch(world: Planned) -> None:
    decision_id = world.propose(TwapPlan(duration_s=7200, slices=24))
    world.step()
    world.fill_open()
    world.step()
    world.pass_by(3600)
    world.restart()
    sent_at_once = len(world.children(decision_id))
    world.walk(3700, every_s=20, then=Planned.fill_open)
    children = world.children(decision_id)
    assert sent_at_once <= 2
    assert max(child.sent.quantity for child in children) <= Decimal(1)
    times = [child.sent.at for child in children]
    gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(times)]
    assert min(gaps) >= 150
    assert world.decision(decision_id).filled_quantity == sum(child.sent.quantity for child in children)
    world.demand_sound(decision_id)


def test_a_plan_of_hours_does_not_hold_up_its_group(world: Planned) -> None:
    world.propose(TwapPlan(duration_s=3600, slices=4))
    world.step()
    second = world.gate.propose(3)
    world.step()
    assert world.decision(second).state is DecisionState.WORKING


def test_a_plan_reserves_its_rest_against_other_orders(world: Planned) -> None:
    decision_id = world.propose(quantity=Decimal(80))
    world.step()
    world.fill_open()
    world.step(times=2)
    reserved = world.book.reservations[decision_id]
    assert reserved.quantity_open == Decimal(60)


def test_while_the_fate_of_a_child_is_unknown_nothing_else_leaves(world: Planned) -> None:
    decision_id = world.propose()
    world.venue.plan.append(Mishap.LOST_AFTER)
    world.step()
    assert [child.state for child in world.children(decision_id)] == [OrderState.UNKNOWN]
    assert world.queue.is_empty()
    world.walk(450, then=Planned.fill_open)
    assert world.decision(decision_id).filled_quantity == Decimal(12)
    world.demand_sound(decision_id)


def test_every_child_is_judged_on_the_rest_at_its_own_price(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.walk(110, then=Planned.fill_open)
    judged = [e for e in world.decision(decision_id).events if isinstance(e, ev.IntentJudged)]
    own = [event for event in judged if event.judge is ev.Judge.EXECUTOR]
    assert len(own) == 1 + len(world.children(decision_id))
    assert '"cost_usd":"900.09"' in own[-1].facts_json


def test_while_another_order_of_its_group_is_unknown_no_child_leaves(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.fill_open()
    world.walk(99)
    world.gate.propose(3)
    world.venue.plan.append(Mishap.LOST_AFTER)
    world.step()
    world.pass_by(5)
    world.quote()
    world.work_plans_alone()
    assert len(world.children(decision_id)) == 1
    world.walk(5)
    assert len(world.children(decision_id)) == 2


def test_a_plan_that_has_sent_nothing_is_not_rejected_with_its_envelope(world: Planned) -> None:
    decision_id = world.propose(PovPlan(duration_s=2000, participation_ratio=Decimal("0.2")))
    world.step()
    world.walk(950, every_s=50)
    assert not world.children(decision_id)
    world.venue.prints["SPX"] = [(world.clock.now(), Decimal(1000))]
    world.walk(1000, every_s=5, then=Planned.fill_open)
    assert world.decision(decision_id).state is DecisionState.FILLED


def test_no_request_may_arrive_after_the_window(world: Planned) -> None:
    world.propose(TwapPlan(duration_s=10, slices=2))
    world.step()
    (planned,) = world.events(ExecutionPlanned)
    assert isinstance(planned, ExecutionPlanned)
    assert [order.valid_until for order in world.venue.requests.values()] == [planned.ends_at]
