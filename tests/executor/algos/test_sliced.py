"""Sliced plans: on time they are their schedule, late they catch up slowly and never in a bunch."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.algos.moves import CancelChild, Done, NextChild, Wait
from executor.algos.sliced import CATCH_UP, slices_of
from tests.executor.algos.floor import NOON, SECOND, Desk, progress
from tests.strategies.executions import shortfalls, twaps, vwaps
from when_to_invest.execution import Ending, ShortfallPlan, SlicedPlan, TwapPlan, VwapPlan
from when_to_invest.intents import TimeInForce
from when_to_invest.orders import OrderState

D = Decimal
TWAP = TwapPlan(duration_s=600, slices=10)
sliced: st.SearchStrategy[SlicedPlan] = st.one_of(twaps, vwaps, shortfalls)


def _at(seconds: float) -> Desk:
    return Desk(TWAP, progress(TWAP), now=NOON + seconds * SECOND)


@pytest.mark.proof
@settings(deadline=None)
@given(sliced)
def test_on_time_the_children_are_the_schedule(plan: SlicedPlan) -> None:
    desk = Desk(plan, progress(plan))
    planned = slices_of(plan, desk.progress)
    sent = desk.work(step=timedelta(seconds=plan.duration_s) / plan.slices / 2)
    assert {move.slice_index: move.quantity for move in sent} == {
        index: lots * D("0.01") for index, lots in enumerate(planned) if lots
    }
    assert desk.look() == Done(Ending.FILLED, D(0))


def test_a_slice_crosses_to_the_best_price_of_the_other_side() -> None:
    assert _at(0).look() == NextChild(0, 1, D(1), D("100.01"), TimeInForce.DAY)


def test_a_slice_waits_for_its_time() -> None:
    desk = _at(0)
    desk.work(step=SECOND, until=NOON)
    assert desk.look() == Wait(NOON + 60 * SECOND, "the next slice")


def test_a_missed_slice_is_spread_over_those_left() -> None:
    desk = _at(300)
    sent = desk.work(step=SECOND)
    assert [move.quantity for move in sent] == [D(2)] * 5
    assert [move.slice_index for move in sent] == [5, 6, 7, 8, 9]


def test_what_two_even_slices_cannot_hold_stays_unfilled() -> None:
    desk = _at(540)
    assert [move.quantity for move in desk.work(step=SECOND)] == [D(2)]
    assert desk.look() == Done(Ending.WINDOW_ENDED, D(8))


def test_a_child_that_rests_too_long_makes_way_for_the_next_slice() -> None:
    desk = _at(0)
    first = desk.look()
    assert isinstance(first, NextChild)
    sent = desk.send(first)
    desk.fill(sent, D("0.25"))
    desk.now = NOON + 59 * SECOND
    assert desk.look() == Wait(NOON + 60 * SECOND, "its own slice")
    desk.now = NOON + 60 * SECOND
    assert desk.look() == CancelChild("c-0", "the next slice has come")
    assert desk.open is not None
    desk.change(desk.open, state=OrderState.CANCELLED)
    following = desk.look()
    assert isinstance(following, NextChild)
    assert (following.slice_index, following.quantity) == (1, D("1.08"))


def test_a_late_child_keeps_the_next_one_at_a_distance() -> None:
    desk = _at(59)
    late = desk.look()
    assert isinstance(late, NextChild)
    desk.fill(desk.send(late))
    desk.now = NOON + 60 * SECOND
    assert desk.look() == Wait(NOON + 89 * SECOND, "a slice has just left, or the first has not come")


@pytest.mark.proof
@settings(deadline=None)
@given(sliced, st.lists(st.floats(0.001, 0.6), min_size=1, max_size=40))
def test_however_late_it_is_looked_at_nothing_bunches(plan: SlicedPlan, delays: list[float]) -> None:
    desk = Desk(plan, progress(plan))
    planned = slices_of(plan, desk.progress)
    window = timedelta(seconds=plan.duration_s)
    sent: list[tuple[timedelta, D]] = []
    for delay in delays:
        desk.now += window * delay / len(delays) * 4
        move = desk.look()
        if isinstance(move, NextChild):
            sent.append((desk.now - NOON, move.quantity))
            desk.fill(desk.send(move))
    largest = max(*planned, CATCH_UP * sum(planned) // plan.slices) * D("0.01")
    assert all(quantity <= largest for _, quantity in sent)
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(sent)]
    assert all(gap >= window / plan.slices / 2 for gap in gaps)


def test_one_lot_over_many_slices_is_still_sent_after_a_delay() -> None:
    plan = TwapPlan(duration_s=600, slices=10)
    desk = Desk(plan, progress(plan, quantity=D("0.01")), now=NOON + 500 * SECOND)
    assert [move.quantity for move in desk.work(step=SECOND)] == [D("0.01")]


def test_a_slice_without_volume_trades_nothing() -> None:
    plan = VwapPlan(duration_s=600, volume_curve=(D(0), D(3), D(0), D(1)))
    sent = Desk(plan, progress(plan)).work(step=SECOND)
    assert [(move.slice_index, move.quantity) for move in sent] == [(1, D("7.5")), (3, D("2.5"))]


def test_urgency_sends_most_at_once() -> None:
    plan = ShortfallPlan(duration_s=600, slices=10, urgency=D(20))
    sent = Desk(plan, progress(plan)).work(step=SECOND)
    assert [move.quantity for move in sent][:3] == [D("8.65"), D("1.17"), D("0.16")]
    assert sum(move.quantity for move in sent) == D(10)
