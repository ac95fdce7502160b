"""An order never meets one of our own at the venue."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given

from tests.strategies.situations import Situation, book, other_decision, reservation
from tests.strategies.spoilers import near_prices
from when_to_invest.intents import Side

ONE, TWO = other_decision(1), other_decision(2)


def facing(usd: str | Decimal, *, side: Side, own: Side = Side.BUY, **changes: object) -> Situation:
    waiting = {ONE: reservation(1, usd, side=side, **changes)}
    return Situation(book=book(held={"SPX": 50}, reserved=waiting)).asking(side=own)


def test_orders_that_cannot_meet_pass() -> None:
    assert facing("100.01", side=Side.SELL).objection("self_trade") is None
    assert facing("99.99", side=Side.BUY, own=Side.SELL).objection("self_trade") is None
    assert facing("100", side=Side.BUY).objection("self_trade") is None


@pytest.mark.parametrize("elsewhere", [{"venue": "other"}, {"instrument": "GLD"}])
def test_an_order_in_another_book_passes(elsewhere: dict[str, object]) -> None:
    assert facing("90", side=Side.SELL, **elsewhere).objection("self_trade") is None


def test_a_buy_at_our_own_offer_is_refused() -> None:
    said = facing("99.5", side=Side.SELL).objection("self_trade")
    assert said is not None
    assert (said.code, said.limit, said.attempted, said.overage) == (
        "would_trade_with_itself",
        "99.5",
        "100",
        "0.5",
    )
    assert said.fix == "a limit price below 99.5 USD, or cancel the open sell of SPX first"
    assert facing("100", side=Side.SELL).objection("self_trade") is not None


def test_a_sell_at_our_own_bid_is_refused_whichever_account_it_is_from() -> None:
    said = facing("100.5", side=Side.BUY, own=Side.SELL, account="second").objection("self_trade")
    assert said is not None
    assert said.overage == "0.5"
    assert said.fix == "a limit price above 100.5 USD, or cancel the open buy of SPX first"


def test_the_nearest_of_several_orders_counts() -> None:
    waiting = {ONE: reservation(1, 103, side=Side.SELL), TWO: reservation(1, 99, side=Side.SELL)}
    said = Situation(book=book(held={"SPX": 9}, reserved=waiting)).objection("self_trade")
    assert said is not None
    assert said.limit == "99"


@given(near_prices, near_prices)
def test_a_buy_never_reaches_our_own_offer(offer_usd: Decimal, bid_usd: Decimal) -> None:
    situation = facing(offer_usd, side=Side.SELL).asking(limit_price_usd=bid_usd)
    assert (situation.objection("self_trade") is not None) == (bid_usd >= offer_usd)
