"""What is traded in any 24 hours is capped."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given

from tests.strategies.situations import (
    D,
    Situation,
    book,
    traded,
)
from tests.strategies.spoilers import (
    near_prices,
    too_many,
)
from when_to_invest.intents import Side


def crowded(usd: str = "70000", hours_ago: float = 1) -> Situation:
    return Situation(book=book(sealed_before=[traded(usd, hours_ago=hours_ago)]))


def test_turnover_up_to_the_cap_passes_and_yesterdays_is_over() -> None:
    assert crowded("99000").objection("turnover") is None
    assert crowded("100000", hours_ago=24).objection("turnover") is None


@pytest.mark.parametrize("side", Side)
def test_turnover_beyond_it_is_refused_on_both_sides(side: Side) -> None:
    said = crowded("99001").asking(side=side).objection("turnover")
    assert said is not None
    assert (said.code, said.attempted, said.overage) == ("turnover_exceeded", "100001", "1")


@given(too_many, near_prices)
def test_what_the_refusal_says_would_pass_does_and_no_lot_more(quantity: Decimal, usd: Decimal) -> None:
    situation = crowded().asking(quantity=quantity, limit_price_usd=usd)
    said = situation.objection("turnover")
    assert said is not None
    named = re.fullmatch(r"at most ([0-9.]+) of SPX at this price", said.fix)
    assert named is not None
    assert situation.asking(quantity=D(named[1])).objection("turnover") is None
    assert situation.asking(quantity=D(named[1]) + D("0.01")).objection("turnover") is not None
