"""Where an order waits: at one venue, at its limit, and never where it would trade."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from executor.routing.offers import Delivery, Demand, Fees, Offer, Reason
from executor.routing.resting import rest
from tests.executor.routing.places import RICH, TERMS, D, book, demand, offer, scenes
from when_to_invest.intents import Side

WAITING = demand(10, limit_price_usd=D(99))


def maker(bps: str) -> Fees:
    return Fees(taker_bps=D(10), maker_bps=D(bps))


def test_the_smallest_maker_fee_wins_and_a_rebate_before_it() -> None:
    places = [offer("a", fees=maker("2")), offer("b", fees=maker("-1")), offer("c", fees=maker("0"))]
    found = rest(WAITING, places)
    (share,) = found.shares
    assert (share.venue, share.quantity, share.limit_price_usd) == ("b", 10, 99)
    assert found.cost_usd == 10 * 99 * D("0.9999")
    assert {each.reason for each in found.left_out} == {Reason.NOT_NEEDED}


def test_a_seller_wants_the_fee_small_as_well() -> None:
    places = [
        offer(name, quote=book((100, 1), side=Side.SELL), fees=maker(bps))
        for name, bps in (("a", "2"), ("b", "1"))
    ]
    found = rest(demand(4, side=Side.SELL, limit_price_usd=D(101)), places)
    assert found.shares[0].venue == "b"
    assert found.cost_usd == -4 * 101 * D("0.9999")


def test_nobody_waits_where_the_order_would_trade() -> None:
    found = rest(demand(limit_price_usd=D(100)), [offer("a", (100, 5)), offer("b", ("100.01", 5))])
    assert [share.venue for share in found.shares] == ["b"]
    assert found.left_out[0].reason is Reason.WOULD_TRADE


def test_a_slow_cancellation_costs() -> None:
    slow = offer("a", delivery=Delivery(D(1), D(0), D(0)))
    wanted = replace(WAITING, variance_per_s=D("1e-8"))
    assert rest(wanted, [slow, offer("b")]).shares[0].venue == "b"


def test_of_equal_venues_the_shorter_queue_and_then_the_name() -> None:
    def queued(name: str, size: int) -> Offer:
        return offer(name, quote=book((100, 1), bid_quantity=D(size)))

    assert rest(WAITING, [queued("a", 9), queued("b", 3)]).shares[0].venue == "b"
    assert rest(WAITING, [queued("b", 3), queued("a", 3)]).shares[0].venue == "a"


def test_a_price_between_two_ticks_becomes_the_one_that_is_not_beyond() -> None:
    coarse = offer(terms=replace(TERMS, tick_size_usd=D("0.5")))
    assert rest(demand(limit_price_usd=D("98.7")), [coarse]).shares[0].limit_price_usd == D("98.5")
    selling = offer(quote=book((100, 1), side=Side.SELL), terms=replace(TERMS, tick_size_usd=D("0.5")))
    wanted = demand(side=Side.SELL, limit_price_usd=D("101.2"))
    assert rest(wanted, [selling]).shares[0].limit_price_usd == D("101.5")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"room": replace(RICH, cash_usd=D(90))}, Reason.NO_ROOM),
        ({"terms": replace(TERMS, min_quantity=D(11))}, Reason.BELOW_MINIMUM),
        ({"terms": replace(TERMS, tick_size_usd=D(200))}, Reason.BEYOND_LIMIT),
        ({"quote": None}, Reason.NO_QUOTE),
    ],
)
def test_who_cannot_take_it_is_named(changes: dict[str, object], reason: Reason) -> None:
    found = rest(WAITING, [offer("a", **changes)])
    assert (found.shares, found.left_out[0].reason, found.cost_usd) == ((), reason, 0)


@settings(max_examples=150, deadline=None)
@given(scene=scenes(venues=4))
def test_what_waits_is_within_every_bound(scene: tuple[Demand, list[Offer]]) -> None:
    wanted, places = scene
    found = rest(wanted, places)
    by_name = {place.venue: place for place in places}
    for share in found.shares:
        place = by_name[share.venue]
        assert place.quote is not None
        assert wanted.side.sign * (share.limit_price_usd - wanted.limit_price_usd) <= 0
        assert place.terms.min_quantity <= share.quantity <= wanted.quantity
        assert share.quantity * share.limit_price_usd >= place.terms.min_notional_usd
        assert share.quantity % place.terms.lot_size == 0
        assert share.quantity * share.limit_price_usd <= place.room.headroom_usd
        if wanted.side is Side.BUY:
            assert share.limit_price_usd < place.quote.ask_usd
            assert share.quantity * share.limit_price_usd <= place.room.cash_usd
        else:
            assert share.limit_price_usd > place.quote.bid_usd
            assert share.quantity <= place.room.units
    assert len(found.shares) + len(found.left_out) == len(places)
