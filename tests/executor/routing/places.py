"""Venues to route over, and a router that tries everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from math import pi
from typing import Any

from hypothesis import strategies as st

from executor.algos.progress import Terms
from executor.routing.offers import Delivery, Demand, Fees, Offer, Room, Route, Share
from when_to_invest.intents import Side
from when_to_invest.quotes import Level, Quote

D = Decimal
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TERMS = Terms(lot_size=D(1), tick_size_usd=D("0.01"))
PROMPT = Delivery(latency_s=D(0), latency_spread_s=D(0), reject_ratio=D(0))
FREE = Fees(taker_bps=D(0), maker_bps=D(0))
RICH = Room(cash_usd=D(10_000_000), units=D(100_000), headroom_usd=D(10_000_000))


def demand(quantity: str | int = 10, **changes: Any) -> Demand:
    given: dict[str, Any] = {
        "instrument": "BTC/USDT",
        "side": Side.BUY,
        "quantity": D(quantity),
        "limit_price_usd": D(110),
        "now": NOON,
        "variance_per_s": D(0),
    }
    return Demand(**given | changes)


def book(*levels: tuple[str | int, str | int], side: Side = Side.BUY, **changes: Any) -> Quote:
    """Return a quote with these levels on the side that an order of `side` trades with."""
    depth = tuple((D(price), D(quantity)) for price, quantity in levels)
    best = depth[0]
    other = (best[0] - side.sign, D(1))
    bid, ask = (other, best) if side is Side.BUY else (best, other)
    given: dict[str, Any] = {
        "instrument": "BTC/USDT",
        "at": NOON,
        "bid_usd": bid[0],
        "bid_quantity": bid[1],
        "ask_usd": ask[0],
        "ask_quantity": ask[1],
        "asks" if side is Side.BUY else "bids": depth,
    }
    return Quote(**given | changes)


def offer(venue: str = "a", *levels: tuple[str | int, str | int], **changes: Any) -> Offer:
    given: dict[str, Any] = {
        "quote": book(*(levels or ((100, 10),))),
        "terms": TERMS,
        "fees": FREE,
        "delivery": PROMPT,
        "room": RICH,
    }
    return Offer(venue=venue, **given | changes)


LOTS = st.sampled_from([D(1), D(2), D(4)])
BPS = st.integers(-10, 200).map(lambda tenth: D(tenth) / 10)


@st.composite
def offers(draw: st.DrawFn, *, venue: str, side: Side, lots: st.SearchStrategy[Decimal] = LOTS) -> Offer:
    """Draw a venue near 100 USD with a few levels, some smaller than its lot."""
    steps = draw(st.lists(st.integers(1, 60), min_size=1, max_size=3))
    price, levels = D(100), []
    for step in steps:
        price += side.sign * D(step) / 100
        levels.append((str(price), str(D(draw(st.integers(1, 8))) / draw(st.sampled_from([1, 2])))))
    return Offer(
        venue=venue,
        quote=replace(book(*levels, side=side), at=NOON - timedelta(milliseconds=draw(st.integers(0, 4000)))),
        terms=Terms(
            lot_size=draw(lots),
            tick_size_usd=D("0.01"),
            min_quantity=D(draw(st.integers(0, 4))),
            min_notional_usd=D(draw(st.sampled_from([0, 150, 250, 401]))),
        ),
        fees=Fees(taker_bps=draw(BPS), maker_bps=D(0)),
        delivery=Delivery(D(draw(st.integers(0, 500))) / 1000, D("0.05"), D(draw(st.integers(0, 9))) / 10),
        room=Room(
            cash_usd=D(draw(st.sampled_from([300, 505, 1_000_000]))),
            units=D(draw(st.sampled_from([0, 3, 1_000]))),
            headroom_usd=D(draw(st.sampled_from([450, 1_000_000]))),
        ),
    )


@st.composite
def scenes(
    draw: st.DrawFn, *, lots: st.SearchStrategy[Decimal] = LOTS, venues: int = 3
) -> tuple[Demand, list[Offer]]:
    side = draw(st.sampled_from(Side))
    names = "abcde"[: draw(st.integers(1, venues))]
    wanted = demand(
        draw(st.integers(1, 12)),
        side=side,
        limit_price_usd=D(100) + side.sign * D(draw(st.integers(0, 150))) / 100,
        variance_per_s=draw(st.sampled_from([D(0), D("1e-8"), D("1e-6")])),
    )
    return wanted, [draw(offers(venue=name, side=side, lots=lots)) for name in names]


def levels_of(one: Offer, side: Side) -> tuple[Level, ...]:
    quote = one.quote
    assert quote is not None
    return quote.asks if side is Side.BUY else quote.bids


def cost_of(one: Offer, quantity: Decimal, wanted: Demand) -> tuple[Decimal, Decimal] | None:
    """Return cost and limit of taking so much, in plain words; none beyond depth, limit, room or minima."""
    sign, left, cost, last = wanted.side.sign, quantity, D(0), D(0)
    for price, depth in levels_of(one, wanted.side):
        used = min(depth, left)
        if used and sign * (price - wanted.limit_price_usd) > 0:
            return None
        if used:
            cost, left, last = cost + used * price * (sign + one.fees.taker_bps / 10_000), left - used, price
    if left:
        return None
    best = levels_of(one, wanted.side)[0][0]
    if quantity < one.terms.min_quantity or quantity * last < one.terms.min_notional_usd:
        return None
    charged = 1 + max(one.fees.taker_bps, D(0)) / 10_000
    is_held = quantity * last * charged <= one.room.cash_usd if sign > 0 else quantity <= one.room.units
    if not is_held or quantity * max(last, best) > one.room.headroom_usd:
        return None
    return cost + quantity * latency_usd(one, wanted, best), last


def latency_usd(one: Offer, wanted: Demand, best: Decimal) -> Decimal:
    """Return the option's price in floats, written down anew."""
    assert one.quote is not None
    age = (wanted.now - one.quote.at).total_seconds()
    record = one.delivery
    seconds = age + float(record.latency_s + record.latency_spread_s)
    seconds /= 1 - float(record.reject_ratio)
    return D(float(best) * (float(wanted.variance_per_s) * seconds / (2 * pi)) ** 0.5)


def brute_force(wanted: Demand, all_of: list[Offer]) -> tuple[Decimal, Decimal]:
    """Return the most that can be taken, and its least cost, by trying every division."""
    choices = []
    for one in all_of:
        most = int(wanted.quantity / one.terms.lot_size)
        sizes = [one.terms.lot_size * lots for lots in range(1, most + 1)]
        found = [(size, told[0]) for size in sizes if (told := cost_of(one, size, wanted))]
        choices.append([(D(0), D(0)), *found])
    best = (D(0), D(0))
    for combination in product(*choices):
        quantity = sum((size for size, _ in combination), D(0))
        cost = sum((cost for _, cost in combination), D(0))
        if quantity <= wanted.quantity and (-quantity, cost) < (-best[0], best[1]):
            best = (quantity, cost)
    return best


def check_share(share: Share, one: Offer, wanted: Demand) -> None:
    """Nothing that a venue, the limit or the limits would not allow."""
    told = cost_of(one, share.quantity, wanted)
    assert told is not None, (share, one)
    assert share.limit_price_usd == told[1]
    assert share.quantity % one.terms.lot_size == 0
    assert share.limit_price_usd % one.terms.tick_size_usd == 0


def check(found: Route, wanted: Demand, all_of: list[Offer]) -> None:
    by_name = {one.venue: one for one in all_of}
    for share in found.shares:
        check_share(share, by_name[share.venue], wanted)
    assert found.quantity <= wanted.quantity
    told = {share.venue for share in found.shares} | {each.venue for each in found.left_out}
    assert told == set(by_name)
    assert len(found.shares) + len(found.left_out) == len(by_name)
