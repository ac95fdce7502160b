"""One instrument's position is capped, counting every open buy as filled."""

from __future__ import annotations

import re
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
    near_prices,
    too_many,
)
from when_to_invest.intents import Side


def crowded(held: str = "300", bought: str = "200", *, side: Side = Side.BUY) -> Situation:
    reserved = {other_decision(1): reservation(bought, side=side)}
    return Situation(book=book(held={"SPX": held}, reserved=reserved))


def test_a_position_up_to_the_cap_passes_and_so_does_any_sell() -> None:
    assert crowded("390", "200").objection("position") is None
    assert crowded("5000", "1").asking(side=Side.SELL).objection("position") is None


def test_a_position_beyond_it_is_refused() -> None:
    said = crowded("390.01", "200").objection("position")
    assert said is not None
    assert (said.code, said.attempted, said.overage) == ("position_exceeded", "60001", "1")


def test_an_open_sell_makes_no_room() -> None:
    assert "position_exceeded" in crowded("595", "200", side=Side.SELL).codes()


@given(too_many, near_prices)
def test_what_the_refusal_says_would_pass_does_and_no_lot_more(quantity: Decimal, usd: Decimal) -> None:
    situation = crowded().asking(quantity=quantity, limit_price_usd=usd)
    said = situation.objection("position")
    assert said is not None
    named = re.fullmatch(r"at most ([0-9.]+) of SPX at this price", said.fix)
    assert named is not None
    assert situation.asking(quantity=D(named[1])).objection("position") is None
    assert situation.asking(quantity=D(named[1]) + D("0.01")).objection("position") is not None
