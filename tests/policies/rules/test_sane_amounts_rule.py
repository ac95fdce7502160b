"""Amounts are positive, finite numbers, whatever built the intent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.gate import judge
from policies.limits import HARD_LIMITS
from tests.strategies.situations import (
    D,
    Situation,
    order,
)
from when_to_invest.verdicts import Approved, Refused

SOUND = Situation()
NO_AMOUNTS = [
    D("NaN"),
    D("sNaN"),
    D("Infinity"),
    D("-Infinity"),
    D(0),
    D("-0"),
    D(-1),
    D("1e16"),
    1.0,
    5,
    "5",
    None,
]


def codes(**changes: Any) -> set[str]:
    """Judge an intent that no parser would have made, on facts of a sound one."""
    verdict = judge(order().model_copy(update=changes), SOUND.facts, HARD_LIMITS)
    return set() if isinstance(verdict, Approved) else {reason.code for reason in verdict.reasons}


def test_a_sound_amount_passes() -> None:
    assert codes(quantity=D("10.00")) == set()
    assert "insane_amount" not in codes(quantity=D("1e15"))


@pytest.mark.parametrize("amount", NO_AMOUNTS)
@pytest.mark.parametrize("name", ["quantity", "limit_price_usd"])
def test_what_is_no_amount_is_refused(name: str, amount: Any) -> None:
    assert "insane_amount" in codes(**{name: amount})


@given(st.one_of(st.floats(), st.text(max_size=5), st.decimals(max_value=0, allow_nan=True), st.booleans()))
def test_nothing_but_a_positive_decimal_ever_passes(amount: Any) -> None:
    assert "insane_amount" in codes(quantity=amount)


def test_a_refusal_does_not_repeat_more_of_an_amount_than_forty_characters() -> None:
    verdict = judge(order().model_copy(update={"quantity": "9" * 1_000}), SOUND.facts, HARD_LIMITS)
    assert isinstance(verdict, Refused)
    said = next(reason for reason in verdict.reasons if reason.code == "insane_amount")
    assert said.attempted == "9" * 40
