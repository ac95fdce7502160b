"""Schedules add up exactly, follow their curve within half a lot, and never leave a crumb."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.algos.lots import amount_of, covering_steps, fitting, whole_steps
from executor.algos.schedule import planned_lots, shares_done
from tests.strategies.executions import shortfalls, twaps, vwaps
from when_to_invest.execution import ShortfallPlan, SlicedPlan, TwapPlan, VwapPlan

D = Decimal
sliced: st.SearchStrategy[SlicedPlan] = st.one_of(twaps, vwaps, shortfalls)
lot_counts = st.integers(1, 100_000)
urgencies = st.decimals(0, 20, places=3)


def _even(slices: int) -> TwapPlan:
    return TwapPlan(duration_s=86_400, slices=slices)


def _urgent(urgency: Decimal, slices: int) -> ShortfallPlan:
    return ShortfallPlan(duration_s=86_400, slices=slices, urgency=urgency)


@pytest.mark.proof
@given(sliced, lot_counts, st.integers(1, 500))
def test_the_slices_add_up_exactly_and_each_is_taken(plan: SlicedPlan, lots: int, smallest: int) -> None:
    planned = planned_lots(plan, lots=lots, smallest=smallest)
    assert (len(planned), sum(planned)) == (plan.slices, lots)
    traded = [part for part in planned if part]
    assert all(part >= smallest for part in traded) or traded == [lots]


@pytest.mark.proof
@given(lot_counts, st.integers(1, 500))
def test_twap_is_the_even_schedule_within_half_a_lot_at_any_time(lots: int, slices: int) -> None:
    planned = planned_lots(_even(slices), lots=lots, smallest=1)
    for done, so_far in enumerate(accumulate(planned), start=1):
        assert abs(2 * so_far * slices - 2 * lots * done) <= slices


@given(st.integers(1, 400), st.integers(1, 500))
def test_twap_is_even_to_the_lot_when_it_divides(each: int, slices: int) -> None:
    assert planned_lots(_even(slices), lots=each * slices, smallest=1) == (each,) * slices


def test_few_lots_over_many_slices_are_spread_and_do_not_come_first() -> None:
    planned = planned_lots(_even(500), lots=4, smallest=1)
    assert [index for index, lots in enumerate(planned) if lots] == [62, 187, 312, 437]


@pytest.mark.proof
@given(vwaps, lot_counts)
def test_vwap_follows_its_weights_within_half_a_lot_at_any_time(plan: VwapPlan, lots: int) -> None:
    planned = planned_lots(plan, lots=lots, smallest=1)
    total = sum(plan.volume_curve)
    for weight, so_far in zip(accumulate(plan.volume_curve), accumulate(planned), strict=True):
        assert abs(so_far - lots * weight / total) <= D("0.5")


def test_only_the_ratios_of_a_volume_curve_count() -> None:
    curves = [tuple(map(D, row)) for row in (["1", "2", "1"], ["0.005", "0.01", "0.005"])]
    plans = [VwapPlan(duration_s=60, volume_curve=curve) for curve in curves]
    assert [planned_lots(plan, lots=100, smallest=1) for plan in plans] == [(25, 50, 25)] * 2


@given(st.decimals("0.001", 20, places=3), st.integers(1, 500))
def test_shortfall_is_the_curve_of_almgren_and_chriss(urgency: Decimal, slices: int) -> None:
    kappa_t = float(urgency)
    for step, done in enumerate(shares_done(urgency, slices), start=1):
        held = math.sinh(kappa_t * (1 - step / slices)) / math.sinh(kappa_t)
        assert float(done) == pytest.approx(1 - held, abs=1e-9)


@pytest.mark.proof
@given(urgencies, urgencies, st.integers(1, 60), lot_counts)
def test_the_more_urgent_the_more_is_done_at_any_time(
    one: Decimal, other: Decimal, slices: int, lots: int
) -> None:
    calm, urgent = sorted((one, other))
    slow = accumulate(planned_lots(_urgent(calm, slices), lots=lots, smallest=1))
    fast = accumulate(planned_lots(_urgent(urgent, slices), lots=lots, smallest=1))
    assert all(early >= late for early, late in zip(fast, slow, strict=True))


@given(st.integers(1, 500), lot_counts)
def test_without_urgency_shortfall_is_twap(slices: int, lots: int) -> None:
    even = planned_lots(_even(slices), lots=lots, smallest=1)
    assert planned_lots(_urgent(D(0), slices), lots=lots, smallest=1) == even


@given(st.integers(1, 500))
def test_as_urgency_goes_to_zero_shortfall_goes_to_twap(slices: int) -> None:
    gaps = []
    for urgency in (D("0.1"), D("0.01"), D("0.001"), D("1e-18")):
        shares = shares_done(urgency, slices)
        gaps.append(max(abs(share - D(done) / slices) for done, share in enumerate(shares, start=1)))
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < D("1e-25")


@given(urgencies, st.integers(1, 60), lot_counts)
def test_shortfall_never_speeds_up_by_more_than_rounding(urgency: Decimal, slices: int, lots: int) -> None:
    planned = planned_lots(_urgent(urgency, slices), lots=lots, smallest=1)
    assert all(later <= earlier + 1 for earlier, later in pairwise(planned))


def test_slices_below_the_venues_least_are_merged_into_later_ones() -> None:
    assert planned_lots(_even(7), lots=10, smallest=3) == (0, 3, 0, 3, 0, 0, 4)
    assert sum(planned_lots(_even(7), lots=2, smallest=3)) == 2


@given(st.integers(0, 1_000), st.integers(0, 1_000), st.integers(1, 200), st.integers(0, 1_000))
def test_what_leaves_is_taken_by_the_venue_and_leaves_no_crumb_where_it_can(
    wanted: int, left: int, smallest: int, largest: int
) -> None:
    sent = fitting(wanted, left=left, smallest=smallest, largest=largest)
    assert sent == 0 or smallest <= sent <= min(left, largest)
    crumb = left - sent
    if sent and 0 < crumb < smallest:
        assert left > largest
        assert left < 2 * smallest


@given(
    st.decimals("-1e12", "1e12", places=6),
    st.decimals("0.000001", 1_000, places=6).filter(lambda step: step > 0),
)
def test_steps_are_counted_exactly(amount: Decimal, step: Decimal) -> None:
    below, above = whole_steps(amount, step), covering_steps(amount, step)
    assert amount_of(below, step) <= amount <= amount_of(above, step)
    assert above - below == (amount_of(below, step) != amount)
