"""Everything held and on order is capped in one currency."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from policies.limits import HARD_LIMITS
from tests.strategies.situations import (
    D,
    Situation,
    book,
    price,
)
from tests.strategies.spoilers import (
    near_prices,
    too_many,
)
from when_to_invest.intents import Side


def crowded(gold: str = "600", stock: str = "300") -> Situation:
    return Situation(book=book(held={"GLD": gold, "SPX": stock}), marks={"GLD": price(100)})


def test_exposure_up_to_the_cap_passes_and_so_does_any_sell() -> None:
    assert crowded("690", "300").objection("gross_exposure") is None
    assert crowded("6900").but(marks={}).asking(side=Side.SELL).objection("gross_exposure") is None


def test_exposure_beyond_it_is_refused() -> None:
    said = crowded("690.01", "300").objection("gross_exposure")
    assert said is not None
    assert (said.code, said.attempted, said.overage) == ("gross_exposure_exceeded", "100001", "1")


@pytest.mark.parametrize(
    ("marks", "code"),
    [
        ({}, "missing_fact"),
        ({"GLD": price("NaN")}, "missing_fact"),
        ({"GLD": price(0)}, "missing_fact"),
        ({"GLD": price(age_s=HARD_LIMITS.max_reference_age_s + 1)}, "stale_mark"),
    ],
)
def test_a_holding_that_cannot_be_priced_now_refuses_buys(marks: Any, code: str) -> None:
    said = crowded("1", "1").but(marks=marks).objection("gross_exposure")
    assert said is not None
    assert said.code == code


def test_the_refusal_names_what_lacks_a_price() -> None:
    unpriced = crowded("1", "1").but(marks={}).objection("gross_exposure")
    assert unpriced is not None
    assert unpriced.overage == "a price of GLD"
    nothing_known = Situation(reference=None).objection("gross_exposure")
    assert nothing_known is not None
    assert nothing_known.overage == "a price of SPX"


def test_a_mark_at_the_edge_of_its_age_passes_and_a_minute_more_does_not() -> None:
    def marked(age_s: int) -> Situation:
        return crowded("1", "1").but(marks={"GLD": price(age_s=age_s)})

    assert marked(HARD_LIMITS.max_reference_age_s).objection("gross_exposure") is None
    said = marked(HARD_LIMITS.max_reference_age_s + 60).objection("gross_exposure")
    assert said is not None
    assert (said.limit, said.attempted, said.overage) == ("432000", "432060", "60")


@given(too_many, near_prices)
def test_what_the_refusal_says_would_pass_does_and_no_lot_more(quantity: Decimal, usd: Decimal) -> None:
    situation = crowded().asking(quantity=quantity, limit_price_usd=usd)
    said = situation.objection("gross_exposure")
    assert said is not None
    named = re.fullmatch(r"at most ([0-9.]+) of SPX at this price", said.fix)
    assert named is not None
    assert situation.asking(quantity=D(named[1])).objection("gross_exposure") is None
    assert situation.asking(quantity=D(named[1]) + D("0.01")).objection("gross_exposure") is not None
