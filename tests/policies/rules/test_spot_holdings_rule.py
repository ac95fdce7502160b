"""Sells are covered by what is held and not yet promised: no short selling."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given

from tests.strategies.situations import (
    D,
    Situation,
    book,
    other_decision,
    reservation,
)
from tests.strategies.spoilers import (
    small_lots,
)
from when_to_invest.intents import Side


def selling(
    quantity: str | Decimal, *, held: str | Decimal = "10", promised: str | Decimal = "0"
) -> Situation:
    reserved = {other_decision(1): reservation(promised, side=Side.SELL)} if D(promised) else {}
    return Situation(book=book(held={"SPX": held}, reserved=reserved)).asking(
        side=Side.SELL, quantity=D(quantity)
    )


def test_selling_what_is_held_passes() -> None:
    assert selling("10").codes() == set()
    assert selling("6", promised="4").codes() == set()


def test_selling_more_is_refused() -> None:
    said = selling("6.01", promised="4").objection("spot_holdings")
    assert said is not None
    assert (said.code, said.limit, said.overage) == ("holdings_insufficient", "6", "0.01")
    assert said.fix == "at most 6 of SPX at this price"


def test_what_would_pass_is_named_in_whole_lots() -> None:
    said = selling("11", held="10.009").objection("spot_holdings")
    assert said is not None
    assert said.fix == "at most 10 of SPX at this price"
    nothing = selling("1", held="0.009").objection("spot_holdings")
    assert nothing is not None
    assert nothing.fix == "no sell of SPX fits now"


def test_what_is_free_is_named_as_it_is_while_the_lot_size_is_unknown() -> None:
    said = selling("11").but(instrument=None).objection("spot_holdings")
    assert said is not None
    assert (said.code, said.overage) == ("holdings_insufficient", "1")


def test_an_open_buy_covers_nothing_and_neither_does_another_account() -> None:
    reserved = {other_decision(1): reservation(10, 99)}
    short = Situation(book=book(reserved=reserved)).asking(side=Side.SELL)
    assert short.codes() == {"holdings_insufficient"}
    elsewhere = selling("10").asking(account="second")
    assert elsewhere.codes() == {"holdings_insufficient"}


@given(small_lots, small_lots, small_lots)
def test_holdings_never_go_below_zero(quantity: Decimal, held: Decimal, promised: Decimal) -> None:
    said = selling(quantity, held=held, promised=promised).objection("spot_holdings")
    assert (said is None) is (held - promised - quantity >= 0)
