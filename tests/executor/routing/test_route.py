"""Where a child goes: never worse than everything tried, never beyond what anybody allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.algos.progress import Terms
from executor.routing.offers import Delivery, Demand, Fees, Offer, Reason, Room, Route
from executor.routing.route import route
from tests.executor.routing.places import (
    NOON,
    PROMPT,
    RICH,
    TERMS,
    D,
    book,
    brute_force,
    check,
    demand,
    offer,
    scenes,
)
from when_to_invest.errors import Fault
from when_to_invest.intents import Side

NEARLY = Decimal("1e-9")
Scene = tuple[Demand, list[Offer]]


def parts(found: Route) -> dict[str, tuple[Decimal, Decimal]]:
    return {share.venue: (share.quantity, share.limit_price_usd) for share in found.shares}


def reasons(found: Route) -> dict[str, Reason]:
    return {each.venue: each.reason for each in found.left_out}


@settings(max_examples=250, deadline=None)
@given(scene=scenes())
def test_no_division_takes_more_nor_costs_less(scene: Scene) -> None:
    wanted, places = scene
    found = route(wanted, places)
    check(found, wanted, places)
    quantity, cost_usd = brute_force(wanted, places)
    assert found.quantity == quantity
    assert abs(found.cost_usd - cost_usd) < NEARLY


@settings(max_examples=100, deadline=None)
@given(scene=scenes(lots=st.sampled_from([D(2), D(3), D("1.5")])))
def test_with_lots_that_do_not_nest_it_is_allowed_and_never_worse_than_one_venue(scene: Scene) -> None:
    wanted, places = scene
    found = route(wanted, places)
    check(found, wanted, places)
    for place in places:
        quantity, cost_usd = brute_force(wanted, [place])
        assert (-found.quantity, found.cost_usd) <= (-quantity, cost_usd + NEARLY)


@settings(max_examples=100, deadline=None)
@given(scene=scenes())
def test_one_more_venue_never_makes_it_worse(scene: Scene) -> None:
    wanted, places = scene
    more, fewer = route(wanted, places), route(wanted, places[1:])
    assert (-more.quantity, more.cost_usd) <= (-fewer.quantity, fewer.cost_usd)


@settings(max_examples=100, deadline=None)
@given(scene=scenes(venues=5), more=st.integers(1, 8))
def test_whoever_wants_more_gets_no_less(scene: Scene, more: int) -> None:
    wanted, places = scene
    larger = replace(wanted, quantity=wanted.quantity + more)
    assert route(larger, places).quantity >= route(wanted, places).quantity


@settings(max_examples=100, deadline=None)
@given(scene=scenes(venues=5), seed=st.integers(0, 99))
def test_the_order_in_which_venues_are_named_changes_nothing(scene: Scene, seed: int) -> None:
    wanted, places = scene
    mixed = list(places)
    Random(seed).shuffle(mixed)  # noqa: S311 - any order will do
    assert route(wanted, mixed) == route(wanted, places)


def test_the_cheapest_lots_are_taken_wherever_they_are() -> None:
    places = [offer("a", (100, 3), (102, 9)), offer("b", (101, 4), (103, 9))]
    found = route(demand(9), places)
    assert parts(found) == {"a": (D(5), D(102)), "b": (D(4), D(101))}
    assert found.cost_usd == 3 * 100 + 4 * 101 + 2 * 102


def test_a_fee_is_a_part_of_the_price() -> None:
    dear = offer("a", (100, 10), fees=Fees(taker_bps=D(30), maker_bps=D(0)))
    cheap = offer("b", ("100.20", 10), fees=Fees(taker_bps=D(5), maker_bps=D(0)))
    found = route(demand(10), [dear, cheap])
    assert parts(found) == {"b": (D(10), D("100.20"))}
    assert reasons(found) == {"a": Reason.NOT_NEEDED}


def test_a_sale_seeks_what_brings_most_after_fees() -> None:
    high = offer("a", quote=book((101, 2), (99, 5), side=Side.SELL))
    taxed = offer("b", quote=book(("101.05", 5), side=Side.SELL), fees=Fees(D(10), D(0)))
    found = route(demand(6, side=Side.SELL, limit_price_usd=D(99)), [high, taxed])
    assert parts(found) == {"a": (D(2), D(101)), "b": (D(4), D("101.05"))}
    assert found.cost_usd == -(2 * 101 + 4 * D("101.05") * D("0.999"))


def test_the_same_price_goes_to_the_venue_whose_orders_arrive_sooner() -> None:
    slow = offer("a", delivery=Delivery(D("0.9"), D("0.1"), D(0)))
    quick = offer("b", delivery=Delivery(D("0.01"), D("0.01"), D(0)))
    assert set(parts(route(demand(10, variance_per_s=D("1e-8")), [slow, quick]))) == {"b"}


def test_the_same_price_goes_to_the_venue_that_rejects_less() -> None:
    fickle = offer("a", delivery=Delivery(D("0.1"), D(0), D("0.5")))
    steady = offer("b", delivery=Delivery(D("0.1"), D(0), D(0)))
    assert set(parts(route(demand(10, variance_per_s=D("1e-8")), [fickle, steady]))) == {"b"}


def test_an_older_quote_is_dearer_at_the_same_price() -> None:
    older = offer("a", quote=book((100, 10), at=NOON - timedelta(seconds=3)))
    assert set(parts(route(demand(10, variance_per_s=D("1e-8")), [older, offer("b")]))) == {"b"}


def test_a_minimum_is_met_or_the_venue_is_passed_over() -> None:
    large = offer("a", (100, 10), terms=replace(TERMS, min_quantity=D(5)))
    small = offer("b", (101, 8))
    assert parts(route(demand(4), [large, small])) == {"b": (D(4), D(101))}
    assert reasons(route(demand(4), [large, small])) == {"a": Reason.BELOW_MINIMUM}
    assert parts(route(demand(12), [large, small])) == {"a": (D(10), D(100)), "b": (D(2), D(101))}


def test_two_minima_that_do_not_fit_together_leave_one_out() -> None:
    least = replace(TERMS, min_quantity=D(6))
    places = [offer("a", (100, 7), terms=least), offer("b", ("100.10", 12), terms=least)]
    found = route(demand(10), places)
    assert parts(found) == {"b": (D(10), D("100.10"))}
    assert reasons(found) == {"a": Reason.NOT_NEEDED}


def test_what_coarse_lots_leave_goes_where_lots_are_fine() -> None:
    coarse = offer("a", (100, 100), terms=Terms(lot_size=D(4), tick_size_usd=D("0.01")))
    fine = offer("b", (101, 100), terms=Terms(lot_size=D("0.001"), tick_size_usd=D("0.01")))
    found = route(demand("10.5005"), [coarse, fine])
    assert parts(found) == {"a": (D(8), D(100)), "b": (D("2.500"), D(101))}


def test_small_lots_compete_with_a_large_one_by_as_many_as_make_it_up() -> None:
    """Two small ones at 100 and 101 cost less than a large one at 100.80, two at 101 do not."""
    fine = offer("a", (100, 1), (101, 5))
    coarse = offer("b", ("100.80", 10), terms=Terms(lot_size=D(2), tick_size_usd=D("0.01")))
    found = route(demand(8), [fine, coarse])
    assert parts(found) == {"a": (D(2), D(101)), "b": (D(6), D("100.80"))}
    assert found.cost_usd == 100 + 101 + 6 * D("100.80")


def test_a_lot_that_reaches_over_two_levels_costs_both() -> None:
    found = route(demand(4), [offer("a", (100, "2.5"), (101, 9))])
    assert parts(found) == {"a": (D(4), D(101))}
    assert found.cost_usd == D("2.5") * 100 + D("1.5") * 101


def test_a_deeper_price_that_breaks_the_minimum_ends_what_is_offered() -> None:
    quote = book((100, 5), (1, 5), side=Side.SELL)
    place = offer("a", quote=quote, terms=replace(TERMS, min_notional_usd=D(300)))
    found = route(demand(8, side=Side.SELL, limit_price_usd=D(1)), [place])
    assert parts(found) == {"a": (D(5), D(100))}


def test_cash_for_the_fee_must_be_there_as_well() -> None:
    poor = replace(RICH, cash_usd=D(500))
    assert parts(route(demand(10), [offer("a", room=poor)])) == {"a": (D(5), D(100))}
    taxed = offer("a", room=poor, fees=Fees(D(1), D(0)))
    assert parts(route(demand(10), [taxed])) == {"a": (D(4), D(100))}


def test_nothing_is_sold_that_is_not_held_there() -> None:
    place = offer("a", quote=book((100, 9), side=Side.SELL), room=replace(RICH, units=D(0)))
    found = route(demand(5, side=Side.SELL, limit_price_usd=D(90)), [place])
    assert (found.shares, reasons(found)) == ((), {"a": Reason.NO_ROOM})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quote": None}, Reason.NO_QUOTE),
        ({"quote": book((100, 1), instrument="ETH/USDT")}, Reason.OTHER_INSTRUMENT),
        ({"quote": book((100, 1), at=NOON - timedelta(seconds=6))}, Reason.STALE_QUOTE),
        ({"quote": book((100, 1), at=NOON + timedelta(microseconds=1))}, Reason.QUOTE_FROM_THE_FUTURE),
        ({"quote": book((111, 1))}, Reason.BEYOND_LIMIT),
        ({"terms": replace(TERMS, lot_size=D(0))}, Reason.UNUSABLE_TERMS),
        ({"terms": replace(TERMS, lot_size=D("1e-19"))}, Reason.UNUSABLE_TERMS),
        ({"terms": replace(TERMS, min_notional_usd=D("NaN"))}, Reason.UNUSABLE_TERMS),
        ({"fees": Fees(D("NaN"), D(0))}, Reason.UNUSABLE_TERMS),
        ({"delivery": replace(PROMPT, reject_ratio=D(1))}, Reason.UNUSABLE_RECORD),
        ({"delivery": replace(PROMPT, latency_s=D("Infinity"))}, Reason.UNUSABLE_RECORD),
        ({"room": Room(D("NaN"), D(1), D(1))}, Reason.NO_ROOM),
        ({"room": replace(RICH, headroom_usd=D(99))}, Reason.NO_ROOM),
        ({"terms": replace(TERMS, min_notional_usd=D(2_000))}, Reason.BELOW_MINIMUM),
    ],
)
def test_a_venue_that_cannot_be_judged_is_left_out_and_named(
    changes: dict[str, object], reason: Reason
) -> None:
    found = route(demand(10), [offer("a", **changes), offer("b", (105, 10))])
    assert reasons(found) == {"a": reason}
    assert parts(found) == {"b": (D(10), D(105))}


@pytest.mark.parametrize(
    "planted",
    [
        {"bid_usd": D(101)},
        {"ask_usd": D("NaN"), "asks": ()},
        {"asks": ((D(100), D(1)), (D(99), D(1)))},
        {"at": NOON.replace(tzinfo=None)},
    ],
)
def test_a_quote_that_came_past_its_constructor_is_left_out(planted: dict[str, object]) -> None:
    quote = book((100, 10))
    for name, value in planted.items():
        object.__setattr__(quote, name, value)
    assert reasons(route(demand(10), [offer("a", quote=quote)])) == {"a": Reason.BROKEN_QUOTE}


def test_a_name_that_stands_twice_counts_for_none() -> None:
    found = route(demand(10), [offer("a"), offer("a", (99, 10)), offer("b", (101, 10))])
    assert parts(found) == {"b": (D(10), D(101))}
    assert reasons(found) == {"a": Reason.NAMED_TWICE}


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": D(0)},
        {"quantity": D("NaN")},
        {"limit_price_usd": D("Infinity")},
        {"variance_per_s": D("NaN")},
        {"variance_per_s": D(-1)},
        {"now": NOON.replace(tzinfo=None)},
    ],
)
def test_a_demand_that_makes_no_sense_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Fault):
        replace(demand(), **changes)
