"""The worth of all open orders is capped as if every one of them filled."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from tests.strategies.situations import (
    D,
    Situation,
    book,
    other_decision,
    reservation,
)
from tests.strategies.spoilers import (
    known_marks,
    near_prices,
    too_many,
)
from when_to_invest.intents import Side


def crowded(quantity: str = "450", **changes: Any) -> Situation:
    return Situation(
        book=book(reserved={other_decision(1): reservation(quantity, **changes)}), marks=known_marks
    )


def test_open_orders_up_to_the_cap_pass() -> None:
    assert crowded("490").objection("open_orders") is None
    assert crowded("490", instrument="GLD", account="second").objection("open_orders") is None


@pytest.mark.parametrize("changes", [{}, {"side": Side.SELL}, {"instrument": "GLD"}, {"account": "second"}])
def test_open_orders_of_any_kind_beyond_it_are_refused(changes: dict[str, Any]) -> None:
    said = crowded("490.01", **changes).objection("open_orders")
    assert said is not None
    assert (said.code, said.attempted, said.overage) == ("open_orders_exceeded", "50001", "1")


def test_an_open_order_without_a_price_refuses() -> None:
    said = crowded("1", instrument="GLD").but(marks={}).objection("open_orders")
    assert said is not None
    assert said.code == "missing_fact"


@given(too_many, near_prices)
def test_what_the_refusal_says_would_pass_does_and_no_lot_more(quantity: Decimal, usd: Decimal) -> None:
    situation = crowded().asking(quantity=quantity, limit_price_usd=usd)
    said = situation.objection("open_orders")
    assert said is not None
    named = re.fullmatch(r"at most ([0-9.]+) of SPX at this price", said.fix)
    assert named is not None
    assert situation.asking(quantity=D(named[1])).objection("open_orders") is None
    assert situation.asking(quantity=D(named[1]) + D("0.01")).objection("open_orders") is not None
