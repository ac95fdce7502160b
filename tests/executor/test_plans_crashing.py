"""A process that dies at any named point, at any time of a plan: the next one goes on, exactly."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executor.probe import Point
from tests.executor.planned import TWAP, Killed, KilledAt, Planned
from tests.executor.test_scheduler import KINDS
from tests.fakes.fake_venue import Mishap
from when_to_invest.execution import Ending, Execution

POINTS = [point for point in Point if point is not Point.RECOVERED]


@pytest.mark.parametrize("time", [1, 2, 3])
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.value)
def test_after_a_crash_the_children_add_up_and_none_is_sent_twice(point: Point, time: int) -> None:
    world = Planned()
    decision_id = world.propose(TWAP)
    world.restart(KilledAt(point, time=time))
    with suppress(Killed):
        world.step()
        world.walk(450, every_s=20, then=Planned.fill_open)
    world.restart()
    world.walk(500, every_s=20, then=Planned.fill_open)
    world.demand_sound(decision_id)
    record = world.decision(decision_id)
    filled = sum(child.filled_quantity for child in world.children(decision_id))
    assert record.filled_quantity == filled == sum(world.venue.filled(name) for name in world.venue.orders)
    assert len(world.finished()) == 1
    assert record.authorised_quantity - filled == world.finished()[0].unfilled_quantity
    assert not world.book.reservations
    assert world.queue.is_empty()


@pytest.mark.parametrize("plan", KINDS, ids=lambda plan: plan.kind)
def test_a_crash_between_intention_and_answer_loses_no_quantity(plan: Execution) -> None:
    world = Planned()
    decision_id = world.propose(plan)
    world.venue.prints["SPX"] = []
    world.restart(KilledAt(Point.SUBMITTED))
    with suppress(Killed):
        for _ in range(10):
            world.walk(10)
            world.venue.prints["SPX"].append((world.clock.now(), Decimal(50)))
    world.restart()

    def market(at: Planned) -> None:
        at.fill_open()
        at.venue.prints["SPX"].append((at.clock.now(), Decimal(50)))

    world.walk(500, every_s=10, then=market)
    world.demand_sound(decision_id)
    assert world.decision(decision_id).filled_quantity == Decimal(12)
    assert [end.ending for end in world.finished()] == [Ending.FILLED]


_HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.integers(1, 120)),
        st.tuples(st.just("mishap"), st.sampled_from([*Mishap])),
        st.tuples(st.just("crash"), st.sampled_from(POINTS)),
        st.tuples(st.just("expire"), st.just(0)),
        st.tuples(st.just("move"), st.integers(-80, 80)),
        st.tuples(st.just("amend"), st.integers(1, 11)),
        st.tuples(st.just("cancel"), st.just(0)),
        st.tuples(st.just("absence"), st.integers(1, 300)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=st.sampled_from(KINDS), happenings=_HAPPENINGS)
def test_whatever_happens_no_more_than_authorised_trades_and_all_of_it_is_reserved(
    plan: Execution, happenings: list[tuple[str, object]]
) -> None:
    world = Planned()
    decision_id = world.propose(plan)
    for what, how in happenings:
        with suppress(Killed):
            _happen(world, decision_id, what, how)
            world.step()
        world.demand_sound(decision_id)
    world.restart()
    world.walk(1000, every_s=50, then=Planned.end_immediate)
    world.step(times=2)
    world.demand_sound(decision_id)
    assert not world.resting()
    assert not world.book.reservations
    assert world.decision(decision_id).filled_quantity == sum(map(world.venue.filled, world.venue.orders))


def _happen(world: Planned, decision_id: str, what: str, how: object) -> None:
    text = str(how)
    happenings: dict[str, Callable[[], object]] = {
        "fill": lambda: _fill(world, Decimal(text)),
        "expire": lambda: [world.venue.expire(name) for name in world.resting()],
        "wait": lambda: world.walk(float(text), every_s=10),
        "absence": lambda: world.pass_by(float(text)),
        "mishap": lambda: world.venue.plan.append(Mishap(text)),
        "move": lambda: setattr(world, "mid_usd", Decimal(100) + Decimal(text) / 100),
        "cancel": lambda: world.cancel(decision_id),
        "amend": lambda: _amend(world, decision_id, text),
        "crash": lambda: world.restart(KilledAt(Point(text))),
    }
    happenings[what]()


def _fill(world: Planned, most: Decimal) -> None:
    for name in world.resting():
        left = world.venue.requests[name].quantity - world.venue.filled(name)
        world.venue.trade(name, min(left, most))


def _amend(world: Planned, decision_id: str, quantity: str) -> None:
    """Ask for less, where that is less than what is wanted."""
    reservation = world.book.reservations.get(decision_id)
    wish = reservation.wish if reservation is not None else None
    if wish is not None and wish.quantity > Decimal(quantity):
        world.amend(decision_id, quantity=quantity)
