"""A limit price stays near the independent reference, on both sides."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    D,
    Situation,
    book,
    price,
    spx,
)
from tests.strategies.spoilers import (
    odd_amounts,
    sides,
)
from when_to_invest.intents import Side


def at(usd: str | Decimal, side: Side = Side.BUY) -> Situation:
    return Situation(book=book(held={"SPX": 20})).asking(side=side, limit_price_usd=D(usd))


@pytest.mark.parametrize(
    ("side", "usd"), [(Side.BUY, "102"), (Side.BUY, "80"), (Side.SELL, "98"), (Side.SELL, "120")]
)
def test_both_edges_of_both_sides_pass(side: Side, usd: str) -> None:
    assert at(usd, side).codes() == set()


@pytest.mark.parametrize(
    ("side", "usd", "code", "attempted", "unit"),
    [
        (Side.BUY, "102.01", "price_worse_than_collar", "201", "bps above reference"),
        (Side.BUY, "79.99", "price_far_from_market", "2001", "bps below reference"),
        (Side.SELL, "97.99", "price_worse_than_collar", "201", "bps below reference"),
        (Side.SELL, "120.01", "price_far_from_market", "2001", "bps above reference"),
    ],
)
def test_beyond_them_is_refused(side: Side, usd: str, code: str, attempted: str, unit: str) -> None:
    said = at(usd, side).objection("price_collar")
    assert said is not None
    assert (said.code, said.attempted, said.unit) == (code, attempted, unit)
    assert (said.overage, D(said.limit)) == ("1", D(attempted) - 1)


@given(sides, st.integers(1, 40_000).map(lambda n: D(n) / 100), st.integers(0, 200))
def test_no_price_worse_than_the_collar_passes(side: Side, usd: Decimal, collar_bps: int) -> None:
    limits = tighten(HARD_LIMITS, {"price_collar_bps": collar_bps})
    worse_bps = (usd - 100) * 100 * side.sign
    said = at(usd, side).objection("price_collar", limits)
    assert (said is None) is (-2000 <= worse_bps <= collar_bps)


@given(sides, odd_amounts)
def test_the_range_it_names_would_pass_and_reaches_to_the_edge(side: Side, usd: Decimal) -> None:
    said = at(usd, side).objection("price_collar")
    assume(said is not None and "between" in said.fix)
    assert said is not None
    low, high = (D(text) for text in re.findall(r"[0-9.]+", said.fix)[:2])
    for edge in (low, high):
        assert at(edge, side).objection("price_collar") is None
    assert at(low - D("0.01"), side).objection("price_collar") is not None
    assert at(high + D("0.01"), side).objection("price_collar") is not None


def test_the_range_it_names_is_rounded_inwards_to_the_tick() -> None:
    coarse = at("50").but(reference=price("99.9"), instrument=spx(tick_size_usd=D("0.25")))
    said = coarse.objection("price_collar")
    assert said is not None
    assert said.fix == "a limit price between 80 and 101.75 USD"


def test_a_range_of_one_tick_is_named() -> None:
    said = at("50").but(instrument=spx(tick_size_usd=D(90))).objection("price_collar")
    assert said is not None
    assert said.fix == "a limit price between 90 and 90 USD"


def test_no_range_is_named_when_no_tick_lies_in_it_or_none_is_known() -> None:
    coarse = at("50").but(instrument=spx(tick_size_usd=D(150)))
    unknown = at("50").but(instrument=None)
    said = [situation.objection("price_collar") for situation in (coarse, unknown)]
    assert [each.fix for each in said if each is not None] == [
        "no price passes: the instrument's tick of 150 USD is wider than the collar",
        "ask again when the instrument's tick size is known",
    ]
