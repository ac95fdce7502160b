"""Longs less shorts are capped, of one instrument and of all together."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import D, Situation, book, other_decision, price, reservation
from tests.strategies.spoilers import near_prices, too_many
from when_to_invest.holdings import Position
from when_to_invest.intents import Side


def crowded(gold: str = "600", stock: str = "300") -> Situation:
    return Situation(book=book(held={"GLD": gold, "SPX": stock}), marks={"GLD": price(100)})


def test_nets_up_to_the_caps_pass_and_so_does_any_sell() -> None:
    assert crowded("400", "590").objection("net_exposure") is None
    assert crowded("590", "400").objection("net_exposure") is None
    assert crowded("6900").but(marks={}).asking(side=Side.SELL).objection("net_exposure") is None


@pytest.mark.parametrize(
    ("gold", "stock", "code", "attempted"),
    [
        ("0", "590.01", "net_position_exceeded", "60001"),
        ("690.01", "300", "net_exposure_exceeded", "100001"),
        ("900", "590.01", "net_position_exceeded", "60001"),
    ],
)
def test_nets_beyond_them_are_refused(gold: str, stock: str, code: str, attempted: str) -> None:
    said = crowded(gold, stock).objection("net_exposure")
    assert said is not None
    assert (said.code, said.attempted, said.overage) == (code, attempted, "1")


def test_a_refusal_counts_what_is_held_when_it_says_what_would_pass() -> None:
    situation = crowded("0", "590.01")
    said = situation.objection("net_exposure")
    assert said is not None
    named = re.fullmatch(r"at most ([0-9.]+) of SPX at this price", said.fix)
    assert named is not None
    assert situation.asking(quantity=D(named[1])).objection("net_exposure") is None
    assert D(named[1]) * 100 <= D(60_000) - D(59_001)


def test_open_buys_count_as_filled_and_open_sells_free_nothing() -> None:
    waiting = {
        other_decision(1): reservation(300, 101),
        other_decision(2): reservation(100, side=Side.SELL),
    }
    situation = Situation(book=book(held={"SPX": 200}, reserved=waiting))
    assert situation.facts.net_of("SPX") == D(200 * 100 + 300 * 101)
    assert situation.facts.net_of("GLD") == D(0)


def test_a_short_takes_off_the_net_and_adds_to_the_gross() -> None:
    situation = crowded("300", "100")
    situation.book.positions["second", "SPX"] = Position(D(-40), D(0))
    assert situation.facts.net_exposure_usd == D(36_000)
    assert situation.facts.gross_exposure_usd == D(44_000)


def test_a_tighter_net_limit_refuses_where_the_gross_one_does_not() -> None:
    limits = tighten(HARD_LIMITS, {"max_net_exposure_usd": "50000"})
    assert {reason.rule for reason in crowded().reasons(limits)} == {"net_exposure"}


@pytest.mark.parametrize("marks", [{}, {"GLD": price(0)}])
def test_what_has_no_price_refuses_buys(marks: dict[str, object]) -> None:
    said = crowded("1", "1").but(marks=marks).objection("net_exposure")
    assert said is not None
    assert said.code == "missing_fact"


@given(too_many, near_prices)
def test_what_the_refusal_says_would_pass_does_and_no_lot_more(quantity: Decimal, usd: Decimal) -> None:
    situation = crowded().asking(quantity=quantity, limit_price_usd=usd)
    said = situation.objection("net_exposure")
    assert said is not None
    named = re.fullmatch(r"at most ([0-9.]+) of SPX at this price", said.fix)
    assert named is not None
    if said.code == "net_exposure_exceeded":
        assert situation.asking(quantity=D(named[1])).objection("net_exposure") is None
    assert situation.asking(quantity=D(named[1]) + D("0.01")).objection("net_exposure") is not None
