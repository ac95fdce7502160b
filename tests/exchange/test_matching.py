"""The book keeps price-time priority, money is conserved, and a refusal changes nothing."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.matching import Exchange
from tests.exchange.naive_exchange import NaiveExchange
from tests.exchange.terms import (
    Ask,
    FeeSchedule,
    Force,
    Listing,
    Order,
    OrderTurned,
    RefusedError,
    SelfTrade,
    Side,
    State,
    Why,
)
from tests.exchange.venues import BTC, CROWD, TRADER, offer, quote_both_sides, stocked

PAIR = Listing("BTC", "USDT", Decimal("0.5"), Decimal("0.25"), Decimal(1))
ACCOUNTS = ("ann", "bob", "cid")
FEES = (FeeSchedule(), FeeSchedule(Decimal("0.0016"), Decimal("0.0026"), is_in_quote=True))


def exchange() -> Exchange:
    built = stocked(BTC, now_ms=count(1).__next__)
    quote_both_sides(built, "BTC/USDT")
    return built


def ask(
    side: Side, quantity: str, price: str | None = None, *, force: Force = Force.GOOD_TILL_CANCELLED
) -> Ask:
    return Ask(TRADER, "BTC/USDT", side, Decimal(quantity), Decimal(price) if price else None, force)


def refusal(venue: Exchange, asked: Ask) -> Why:
    with pytest.raises(RefusedError) as caught:
        venue.place(asked)
    return caught.value.why


asks = st.builds(
    Ask,
    account=st.sampled_from(ACCOUNTS),
    symbol=st.just("BTC/USDT"),
    side=st.sampled_from(Side),
    quantity=st.integers(0, 12).map(lambda n: Decimal(n) / 4),
    price=st.one_of(st.none(), st.integers(6, 14).map(lambda n: Decimal(n) / 2)),
    force=st.sampled_from(Force),
    client_id=st.one_of(st.none(), st.sampled_from("abcdef")),
    self_trade=st.sampled_from(SelfTrade),
)
steps = st.lists(st.one_of(asks, st.integers(0, 40)), max_size=60)


def walked(script: list[Ask | int], fees: FeeSchedule = FEES[0]) -> Exchange:
    """Play orders and cancels (by place in the list of all orders) and return the exchange."""
    venue = Exchange([PAIR], now_ms=count(1).__next__, fees=fees)
    for account in ACCOUNTS:
        venue.vault.deposit(account, "BTC", Decimal(20))
        venue.vault.deposit(account, "USDT", Decimal(60))
    for step in script:
        try:
            play(venue, step)
        except RefusedError:
            continue
    return venue


def play(venue: Exchange, step: Ask | int) -> None:
    if isinstance(step, Ask):
        venue.place(step)
    else:
        known = venue.orders.get(1001 + step)
        venue.cancel(known.ask.account if known else "nobody", 1001 + step)


@given(steps, st.sampled_from(FEES))
def test_nothing_is_created_or_lost_and_nobody_owes(script: list[Ask | int], fees: FeeSchedule) -> None:
    vault = walked(script, fees).vault
    assert vault.total("BTC") == vault.deposited["BTC"]
    assert vault.total("USDT") == vault.deposited["USDT"]
    assert vault.least() >= 0


@given(steps)
def test_the_book_is_never_crossed(script: list[Ask | int]) -> None:
    depth = walked(script).depth("BTC/USDT")
    if depth.bids and depth.asks:
        assert depth.bids[0][0] < depth.asks[0][0]


@given(steps, st.sampled_from(FEES))
def test_holds_are_exactly_those_of_live_orders(script: list[Ask | int], fees: FeeSchedule) -> None:
    venue = walked(script, fees)
    for account in ACCOUNTS:
        live = venue.open_orders(account)
        for asset, side in (("USDT", Side.BUY), ("BTC", Side.SELL)):
            held = sum((o.held for o in live if o.ask.side is side), Decimal(0))
            assert venue.vault.holding(account, asset).held == held


@given(steps)
def test_an_orders_fills_add_up_to_what_it_says(script: list[Ask | int]) -> None:
    venue = walked(script)
    for order in venue.orders.values():
        fills = [f for f in venue.fills[order.ask.account] if f.order_id == order.id]
        mine = {f.trade.id: f.trade.quantity for f in fills if f.side is order.ask.side}
        assert sum(mine.values(), Decimal(0)) == order.filled <= order.ask.quantity
        assert (order.filled == order.ask.quantity) is (order.state is State.FILLED)


@given(steps)
def test_trades_happen_in_price_time_priority(script: list[Ask | int]) -> None:
    """Against a naive model, where everybody is rich and may trade with himself."""
    venue, naive, seen = Exchange([PAIR], now_ms=count(1).__next__), NaiveExchange(), []
    for account in ACCOUNTS:
        venue.vault.deposit(account, "BTC", Decimal(10**6))
        venue.vault.deposit(account, "USDT", Decimal(10**6))
    venue.listeners.append(lambda h: seen.append(h) if isinstance(h, OrderTurned) and h.fill else None)
    for step in script:
        if isinstance(step, int):
            naive_cancel(venue, naive, 1001 + step)
            continue
        asked = Ask(step.account, step.symbol, step.side, step.quantity, step.price, step.force)
        would_take = asked.force is Force.POST_ONLY and naive.would_take(asked)
        order = placed(venue, asked)
        assert not (order and would_take)
        if order:
            naive.place(order.id, asked)
    pairs = [(m.order.id, t.order.id, m.fill.trade) for m, t in zip(seen[::2], seen[1::2], strict=True)]
    assert [(maker, taker, t.price, t.quantity) for maker, taker, t in pairs] == naive.trades
    assert {o.id for a in ACCOUNTS for o in venue.open_orders(a)} == {r.number for r in naive.resting}


def placed(venue: Exchange, asked: Ask) -> Order | None:
    try:
        return venue.place(asked)
    except RefusedError:
        return None


def naive_cancel(venue: Exchange, naive: NaiveExchange, order_id: int) -> None:
    known = venue.orders.get(order_id)
    if known is not None and known.state.is_live:
        venue.cancel(known.ask.account, order_id)
        naive.cancel(order_id)


@given(steps)
def test_the_same_script_gives_the_same_trades(script: list[Ask | int]) -> None:
    assert walked(script).trades == walked(script).trades


def test_a_limit_order_takes_what_it_can_and_rests_with_the_remainder() -> None:
    venue = exchange()
    order = venue.place(ask(Side.BUY, "1.5", "100.50"))
    assert (order.state, order.filled, order.cost) == (State.PARTLY_FILLED, Decimal(1), Decimal("100.50"))
    assert venue.depth("BTC/USDT").bids[0] == (Decimal("100.50"), Decimal("0.5"))


def test_a_market_order_walks_the_book_and_what_is_left_expires() -> None:
    order = exchange().place(ask(Side.BUY, "9"))
    assert (order.state, order.filled, order.cost) == (State.EXPIRED, Decimal(3), Decimal("302.50"))


def test_immediate_or_cancel_leaves_nothing_behind() -> None:
    venue = exchange()
    assert venue.place(ask(Side.BUY, "5", "100.50", force=Force.IMMEDIATE_OR_CANCEL)).filled == 1
    assert not venue.open_orders(TRADER)


def test_fill_or_kill_does_all_or_nothing() -> None:
    venue = exchange()
    assert venue.place(ask(Side.BUY, "4", "101", force=Force.FILL_OR_KILL)).filled == 0
    assert venue.place(ask(Side.BUY, "3", "101", force=Force.FILL_OR_KILL)).state is State.FILLED


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (ask(Side.BUY, "1", "100.005"), Why.BAD_PRICE),
        (ask(Side.BUY, "0.000001", "100"), Why.BAD_QUANTITY),
        (ask(Side.BUY, "-1", "100"), Why.BAD_QUANTITY),
        (ask(Side.BUY, "NaN", "100"), Why.BAD_QUANTITY),
        (ask(Side.BUY, "0.01", "100"), Why.TOO_SMALL),
        (ask(Side.BUY, "2000", "100"), Why.NO_FUNDS),
        (ask(Side.BUY, "1", "100.50", force=Force.POST_ONLY), Why.WOULD_TAKE),
        (Ask(TRADER, "BTC/EUR", Side.BUY, Decimal(1), Decimal(1)), Why.UNKNOWN_SYMBOL),
    ],
)
def test_a_refusal_has_a_reason_and_changes_nothing(asked: Ask, why: Why) -> None:
    venue = exchange()
    before = (venue.depth("BTC/USDT"), venue.vault.holdings(TRADER), dict(venue.orders))
    assert refusal(venue, asked) is why
    assert (venue.depth("BTC/USDT"), venue.vault.holdings(TRADER), dict(venue.orders)) == before


def test_a_client_id_is_taken_while_its_order_is_live_and_free_afterwards() -> None:
    venue = exchange()
    asked = Ask(TRADER, "BTC/USDT", Side.BUY, Decimal(1), Decimal(99), client_id="mine")
    first = venue.place(asked)
    assert refusal(venue, asked) is Why.DUPLICATE
    venue.cancel(TRADER, first.id)
    assert venue.place(asked).id != first.id


def test_a_done_order_cannot_be_cancelled_and_anothers_is_unknown() -> None:
    venue = exchange()
    done: Order = venue.place(ask(Side.BUY, "1"))
    for account, why in ((TRADER, Why.NOT_LIVE), (CROWD, Why.UNKNOWN_ORDER)):
        with pytest.raises(RefusedError) as caught:
            venue.cancel(account, done.id)
        assert caught.value.why is why


@pytest.mark.parametrize(
    ("mode", "states"),
    [
        (SelfTrade.ALLOW, (State.FILLED, State.FILLED)),
        (SelfTrade.EXPIRE_TAKER, (State.OPEN, State.EXPIRED)),
        (SelfTrade.EXPIRE_MAKER, (State.EXPIRED, State.OPEN)),
    ],
)
def test_trading_with_oneself_goes_as_asked(mode: SelfTrade, states: tuple[State, State]) -> None:
    venue = stocked(BTC, now_ms=count(1).__next__)
    maker = venue.place(ask(Side.SELL, "1", "100"))
    taker = venue.place(Ask(TRADER, "BTC/USDT", Side.BUY, Decimal(1), Decimal(100), self_trade=mode))
    assert (venue.orders[maker.id].state, venue.orders[taker.id].state) == states


def test_a_better_price_gives_back_what_was_held_too_much() -> None:
    venue = exchange()
    venue.place(ask(Side.BUY, "1", "150"))
    holding = venue.vault.holding(TRADER, "USDT")
    assert (holding.free, holding.held) == (Decimal(100_000) - Decimal("100.50"), 0)
    assert venue.vault.holding(TRADER, "BTC").free == Decimal(100_000) + Decimal("0.999")


def test_an_amount_of_money_buys_whole_lots() -> None:
    venue = exchange()
    offer(venue, "BTC/USDT", Side.SELL, price="102", quantity="1")
    assert venue.quantity_for("BTC/USDT", Side.BUY, Decimal(151)) == Decimal("1.5")
