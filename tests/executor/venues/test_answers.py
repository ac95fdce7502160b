"""What no venue can have meant is refused; nothing is guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.venues.ccxt.answers import (
    holdings_of,
    order_of,
    other_fee_assets,
    quote_of,
    traded_since,
    trades_of,
)
from executor.venues.ccxt.terms import Terms, terms_of
from executor.venues.port import OrderRef, VenueStatus
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.reconciliation import Charge

ORDER = {"id": "7", "clientOrderId": "w1", "status": "open", "amount": "2", "filled": "0.5"}
TRADE = {
    "id": "t1",
    "order": "7",
    "symbol": "BTC/USD",
    "amount": "0.5",
    "price": "100.10",
    "fee": {"cost": "0.02", "currency": "USD"},
    "timestamp": 1_700_000_000_000,
}
TERMS = Terms(
    instrument="BTC-USD",
    symbol="BTC/USD",
    base="BTC",
    quote="USD",
    lot=Decimal("0.01"),
    tick_usd=Decimal("0.1"),
    least_quantity=Decimal("0.01"),
    most_quantity=None,
    least_cost_usd=Decimal(1),
)
REF = OrderRef("w1", "BTC-USD", "7")
NOTHING = Decimal(0)
NOW = datetime(2024, 1, 1, tzinfo=UTC)


def told(**changes: Any) -> VenueStatus:
    return order_of({**ORDER, **changes}, client_order_id="w1", instrument="BTC-USD").status


def refused(code: ErrorCode = ErrorCode.VENUE_CONTRADICTED) -> Any:
    return pytest.raises(Fault, check=lambda fault: fault.code is code)


@pytest.mark.parametrize(
    "changes",
    [
        {"filled": "-0.1"},
        {"filled": "2.1"},
        {"filled": None},
        {"filled": "NaN"},
        {"filled": "Infinity"},
        {"filled": "much"},
        {"filled": 0.5},
        {"filled": True},
        {"amount": "0"},
        {"amount": None},
        {"status": "haunted"},
        {"status": None},
        {"status": "rejected"},
        {"id": None},
        {"id": ""},
    ],
    ids=str,
)
def test_an_order_that_cannot_be_is_a_contradiction(changes: dict[str, Any]) -> None:
    with refused():
        told(**changes)


@pytest.mark.parametrize(
    ("status", "filled", "expected"),
    [
        ("open", "0.5", VenueStatus.WORKING),
        ("PENDING", "0", VenueStatus.WORKING),
        ("closed", "2.00", VenueStatus.FILLED),
        ("closed", "0.5", VenueStatus.CANCELLED),
        ("canceled", "0.5", VenueStatus.CANCELLED),
        ("expired", "0", VenueStatus.EXPIRED),
        ("rejected", "0", VenueStatus.REJECTED),
    ],
)
def test_every_word_for_a_status_has_one_meaning(status: str, filled: str, expected: VenueStatus) -> None:
    assert told(status=status, filled=filled) is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "-0.5"},
        {"amount": "0"},
        {"amount": 0.5},
        {"price": "0"},
        {"price": None},
        {"id": None},
        {"order": "8"},
        {"order": None},
        {"symbol": "ETH/USD"},
        {"timestamp": None},
        {"timestamp": -1},
        {"fee": None},
        {"fee": {"cost": "-0.1", "currency": "USD"}},
        {"fee": {"cost": None, "currency": "USD"}},
    ],
    ids=str,
)
def test_a_trade_that_cannot_be_is_a_contradiction(changes: dict[str, Any]) -> None:
    with refused():
        trades_of([{**TRADE, **changes}], order=REF, terms=TERMS, prices_usd={})


def test_a_trade_told_on_two_pages_counts_once_and_told_in_two_ways_never() -> None:
    (once,) = trades_of([TRADE, dict(TRADE)], order=REF, terms=TERMS, prices_usd={})
    assert (once.quantity, once.price_usd, once.fee_usd) == (
        Decimal("0.5"),
        Decimal("100.10"),
        Decimal("0.02"),
    )
    with refused():
        trades_of([TRADE, {**TRADE, "amount": "0.4"}], order=REF, terms=TERMS, prices_usd={})


def test_a_fee_is_worth_dollars_the_trades_price_the_venues_price_or_is_said_to_be_unknown() -> None:
    def fee(cost: str, asset: str | None) -> tuple[Decimal, Charge | None]:
        told = {**TRADE, "fee": {"cost": cost, "currency": asset}}
        (trade,) = trades_of([told], order=REF, terms=TERMS, prices_usd={"BNB": Decimal(600)})
        return trade.fee_usd, trade.charge

    thousandth = Decimal("0.001")
    assert fee("0.02", "USD") == (Decimal("0.02"), None)
    assert fee("0.001", "BTC") == (Decimal("0.10010"), Charge(asset="BTC", units=thousandth))
    assert fee("0.001", "BNB") == (Decimal("0.6"), Charge(asset="BNB", units=thousandth))
    assert fee("0", None) == (NOTHING, None)
    assert fee("0.001", "KFEE") == (NOTHING, Charge(asset="KFEE", units=thousandth, is_priced=False))
    for nameless in (None, "", "a b", "-"):
        assert fee("0.001", nameless) == (NOTHING, Charge(asset="unnamed", units=thousandth, is_priced=False))


def test_only_what_is_neither_side_of_the_pair_needs_a_price() -> None:
    fees = [("1", "USD"), ("1", "BTC"), ("1", "BNB"), ("0", "KFEE"), ("1", None), (None, "OKB")]
    told = [{"fee": {"cost": cost, "currency": asset}} for cost, asset in fees]
    assert other_fee_assets([*told, {"fee": None}, {}], TERMS) == {"BNB"}


@given(
    levels=st.lists(
        st.tuples(st.decimals("0.01", "5000", places=2), st.decimals("0.001", "9", places=3)),
        min_size=2,
        max_size=30,
        unique_by=lambda level: level[0],
    )
)
def test_a_book_is_sorted_by_number_however_its_text_was(levels: list[tuple[Decimal, Decimal]]) -> None:
    by_price = sorted(levels)
    half = len(levels) // 2
    as_text = [[str(price), str(quantity)] for price, quantity in by_price]
    book = {"bids": sorted(as_text[:half], reverse=True), "asks": sorted(as_text[half:]), "timestamp": None}
    quote = quote_of(book, instrument="BTC-USD", at=NOW)
    assert quote is not None
    assert (quote.bid_usd, quote.ask_usd) == (by_price[half - 1][0], by_price[half][0])
    assert list(quote.asks) == by_price[half:]


def test_an_empty_side_is_no_quote_and_a_crossed_book_no_answer() -> None:
    assert quote_of({"bids": [], "asks": [["1", "1"]]}, instrument="X", at=NOW) is None
    with refused(ErrorCode.VENUE_UNAVAILABLE):
        quote_of({"bids": [["2", "1"]], "asks": [["1", "1"]]}, instrument="X", at=NOW)
    with refused():
        quote_of({"bids": [[1.5, "1"]], "asks": [["2", "1"]]}, instrument="X", at=NOW)
    with refused():
        quote_of({}, instrument="X", at=NOW)


def test_what_was_traded_is_known_only_where_the_list_reaches_back_far_enough() -> None:
    def traded(since_ms: int, *, is_complete: bool) -> Decimal | None:
        told = [{"timestamp": 1000 * n, "amount": "0.5"} for n in (5, 6, 7)]
        since = datetime.fromtimestamp(since_ms / 1000, UTC)
        return traded_since(told, since, is_complete=is_complete)

    assert traded(6_000, is_complete=False) == 1
    assert traded(5_000, is_complete=False) is None
    assert traded(5_000, is_complete=True) == Decimal("1.5")
    assert traded_since([], NOW, is_complete=True) == 0
    with refused():
        traded_since([{"timestamp": 1, "amount": "-1"}], NOW, is_complete=True)


def test_holdings_without_totals_or_below_zero_are_refused() -> None:
    assert holdings_of({"total": {"BTC": "1.5", "USD": "0"}}) == {"BTC": Decimal("1.5")}
    for nonsense in ({}, {"total": {"BTC": "-1"}}, {"total": {"BTC": None}}):
        with refused():
            holdings_of(nonsense)


@pytest.mark.parametrize(
    "changes",
    [
        {"spot": False},
        {"active": False},
        {"quote": "EUR"},
        {"precision": {"amount": None, "price": "0.1"}},
        {"precision": {"amount": "0.1", "price": "0"}},
        {"precision": None},
    ],
    ids=str,
)
def test_a_market_that_cannot_be_traded_is_bad_configuration(changes: dict[str, Any]) -> None:
    market = {
        "symbol": "BTC/USD",
        "base": "BTC",
        "quote": "USD",
        "spot": True,
        "active": True,
        "precision": {"amount": "0.01", "price": "0.1"},
        "limits": {"amount": {"min": None}, "cost": None},
    }
    assert terms_of(market, instrument="BTC-USD", dollars=frozenset({"USD"})).lot == Decimal("0.01")
    with refused(ErrorCode.BAD_CONFIG):
        terms_of({**market, **changes}, instrument="BTC-USD", dollars=frozenset({"USD"}))
