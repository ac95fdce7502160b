"""What ends a plan before its time: a cancel, an amendment, a halt, a refusal, and a late trade of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policies.limits import HARD_LIMITS, tighten
from tests.executor.planned import Planned
from tests.fakes.fake_market import daily_bar
from tests.fakes.fake_venue import FakeVenue, Mishap
from tests.when_to_invest.tightenings import halted, reducing
from when_to_invest.breakers import Halt, TradingState
from when_to_invest.execution import Ending, IcebergPlan, PegPlan, TwapPlan
from when_to_invest.history import DecisionState
from when_to_invest.orders import OrderState


@pytest.fixture
def world() -> Planned:
    return Planned()


def test_a_cancel_ends_the_child_and_then_the_plan(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.cancel(decision_id)
    world.step(times=3)
    assert not world.resting()
    assert [end.ending for end in world.finished()] == [Ending.CANCELLED]
    assert world.decision(decision_id).state is DecisionState.CANCELLED
    assert not world.book.reservations


def test_a_cancel_between_two_children_ends_the_plan(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.fill_open()
    world.step()
    world.cancel(decision_id)
    world.step()
    (end,) = world.finished()
    assert (end.ending, end.unfilled_quantity) == (Ending.CANCELLED, Decimal(9))
    world.walk(450, then=Planned.fill_open)
    assert len(world.children(decision_id)) == 1


def test_a_cancel_before_it_begins_sends_nothing(world: Planned) -> None:
    decision_id = world.propose()
    world.cancel(decision_id)
    world.step()
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert not world.venue.submits


def test_a_trade_that_races_the_cancel_is_booked(world: Planned) -> None:
    class Racing(FakeVenue):
        async def cancel(self, order: object) -> None:
            for name in [name for name in self.orders if not self.executed[name]]:
                self.trade(name, Decimal(1))
            await super().cancel(order)  # type: ignore[arg-type]

    world.venue = Racing()
    decision_id = world.propose()
    world.step()
    world.cancel(decision_id)
    world.step(times=3)
    assert world.decision(decision_id).filled_quantity == Decimal(1)
    (end,) = world.finished()
    assert (end.ending, end.unfilled_quantity) == (Ending.CANCELLED, Decimal(11))
    world.demand_sound(decision_id)


def test_a_cancel_while_the_fate_of_a_child_is_unknown_waits_for_it(world: Planned) -> None:
    decision_id = world.propose()
    world.venue.plan.append(Mishap.LOST_AFTER)
    world.step()
    world.cancel(decision_id)
    world.step(times=4)
    assert [child.state for child in world.children(decision_id)] == [OrderState.CANCELLED]
    assert [end.ending for end in world.finished()] == [Ending.CANCELLED]


def test_less_is_wanted_than_rests_so_that_it_is_cancelled_and_sent_smaller(world: Planned) -> None:
    decision_id = world.propose(PegPlan(duration_s=400))
    world.step()
    world.amend(decision_id, quantity="5")
    world.step(times=3)
    world.walk(10)
    assert [world.venue.requests[name].quantity for name in world.resting()] == [Decimal(5)]
    world.fill_open()
    world.step(times=2)
    assert world.decision(decision_id).filled_quantity == Decimal(5)
    assert [end.ending for end in world.finished()] == [Ending.FILLED]
    assert not world.book.reservations


def test_what_is_amended_before_it_begins_is_never_sent_in_full(world: Planned) -> None:
    decision_id = world.propose(PegPlan(duration_s=400))
    world.amend(decision_id, quantity="5", limit_price_usd="99.5")
    world.step()
    (child,) = world.children(decision_id)
    assert (child.sent.quantity, child.sent.limit_price_usd) == (Decimal(5), Decimal("99.50"))


def test_a_stricter_limit_holds_for_what_rests_and_what_follows(world: Planned) -> None:
    decision_id = world.propose(IcebergPlan(duration_s=400, display_quantity=Decimal(4)))
    world.step()
    world.amend(decision_id, limit_price_usd="99.5")
    world.step(times=3)
    world.walk(10)
    assert [world.venue.requests[name].limit_price_usd for name in world.resting()] == [Decimal("99.5")]


def test_a_halt_cancels_the_child_and_ends_the_plan(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.journal.append([halted(world.clock.now())])
    world.step(times=3)
    assert not world.resting()
    (end,) = world.finished()
    assert end.ending is Ending.REFUSED
    assert end.why.startswith("trading_halted")
    world.walk(450)
    assert len(world.children(decision_id)) == 1


def test_a_latch_ends_a_plan_that_sleeps(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.fill_open()
    world.step()
    world.latch.drop(Halt("system", TradingState.HALTED, world.clock.now(), "operator", "look at this"))
    world.step(times=2)
    assert [end.ending for end in world.finished()] == [Ending.REFUSED]
    assert len(world.children(decision_id)) == 1


def test_where_positions_may_only_shrink_a_purchase_ends(world: Planned) -> None:
    world.propose()
    world.step()
    world.journal.append([reducing(world.clock.now())])
    world.step(times=3)
    assert [end.ending for end in world.finished()] == [Ending.REFUSED]
    assert not world.resting()


def test_a_child_that_passes_no_judgement_ends_the_plan(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.fill_open()
    world.step()
    world.market.bars["SPX"] = [daily_bar(0, "100", "101", "89", "90")]
    world.walk(120)
    (end,) = world.finished()
    assert end.ending is Ending.REFUSED
    assert end.why.startswith("the executor's own judgement: refused")
    assert len(world.children(decision_id)) == 1
    assert not world.book.reservations


def test_other_limits_than_it_was_sealed_under_end_the_plan(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.fill_open()
    world.step()
    world.limits = tighten(HARD_LIMITS, {"max_order_notional_usd": "500"})
    world.callers = {"agent": world.limits}
    world.restart()
    world.walk(120)
    assert [end.ending for end in world.finished()] == [Ending.REFUSED]
    assert len(world.children(decision_id)) == 1


def test_a_caller_that_is_struck_off_ends_its_plans(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.fill_open()
    world.callers = {}
    world.restart()
    world.walk(120)
    (end,) = world.finished()
    assert (end.ending, end.why.split(":")[0]) == (Ending.REFUSED, "forbidden")
    assert len(world.children(decision_id)) == 1


def test_a_venue_that_takes_nothing_is_not_asked_for_ever(world: Planned) -> None:
    decision_id = world.propose(IcebergPlan(duration_s=400, display_quantity=Decimal(4)))
    world.venue.plan.extend([Mishap.DECLINED] * 20)
    world.step()
    world.walk(100)
    assert [end.ending for end in world.finished()] == [Ending.DECLINED]
    assert len(world.children(decision_id)) == 5
    assert not world.book.reservations


def test_what_never_left_is_tried_again_as_another_attempt(world: Planned) -> None:
    decision_id = world.propose(TwapPlan(duration_s=400, slices=2))
    world.venue.plan.append(Mishap.UNSENT)
    world.step()
    world.walk(450, then=Planned.fill_open)
    children = world.children(decision_id)
    assert [(child.sent.slice_index, child.sent.attempt) for child in children] == [(0, 1), (0, 2), (1, 1)]
    assert world.decision(decision_id).filled_quantity == Decimal(12)
    world.demand_sound(decision_id)
