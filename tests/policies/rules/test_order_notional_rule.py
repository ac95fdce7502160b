"""One order's worth is capped, at the worse of its limit and the reference."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given

from tests.strategies.situations import (
    D,
    Situation,
    price,
)
from tests.strategies.spoilers import (
    near_prices,
    too_many,
)
from when_to_invest.verdicts import Approved, Held


def crowded() -> Situation:
    return Situation()


def test_an_order_at_the_cap_is_held_for_signatures_but_not_refused() -> None:
    at_cap = Situation().asking(quantity=D(250))
    assert at_cap.objection("order_notional") is None
    assert isinstance(at_cap.verdict(), Held)
    assert isinstance(at_cap.but(approvers=frozenset({"alice", "bob"})).verdict(), Approved)


def test_an_order_above_it_is_refused_whoever_signed() -> None:
    signed = Situation(approvers=frozenset({"alice", "bob", "carol"})).asking(quantity=D("250.01"))
    said = signed.objection("order_notional")
    assert said is not None
    assert (said.code, said.limit, said.attempted, said.overage) == (
        "order_notional_exceeded",
        "25000",
        "25001",
        "1",
    )


@pytest.mark.parametrize(("limit_usd", "reference_usd"), [("100", "101"), ("101", "100")])
def test_the_worse_of_limit_and_reference_counts(limit_usd: str, reference_usd: str) -> None:
    ask = Situation(reference=price(reference_usd)).asking(quantity=D(249), limit_price_usd=D(limit_usd))
    assert "order_notional_exceeded" in ask.codes()


@given(too_many, near_prices)
def test_what_the_refusal_says_would_pass_does_and_no_lot_more(quantity: Decimal, usd: Decimal) -> None:
    situation = crowded().asking(quantity=quantity, limit_price_usd=usd)
    said = situation.objection("order_notional")
    assert said is not None
    named = re.fullmatch(r"at most ([0-9.]+) of SPX at this price", said.fix)
    assert named is not None
    assert situation.asking(quantity=D(named[1])).objection("order_notional") is None
    assert situation.asking(quantity=D(named[1]) + D("0.01")).objection("order_notional") is not None
