"""Limit prices are whole ticks."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies.situations import (
    D,
    Situation,
    spx,
)


def with_step(step: str | Decimal, amount: str | Decimal) -> Situation:
    return Situation(instrument=spx(tick_size_usd=D(step))).asking(limit_price_usd=D(amount))


def test_a_whole_multiple_passes() -> None:
    assert with_step("0.25", "100.25").codes() == set()


def test_a_fraction_of_a_step_is_refused() -> None:
    said = with_step("0.25", "100.3").objection("tick_size")
    assert said is not None
    assert (said.code, said.overage) == ("off_tick", "0.05")


def test_both_neighbouring_ticks_are_named() -> None:
    said = with_step("0.25", "100.3").objection("tick_size")
    assert said is not None
    assert said.fix == "a limit price of 100.25 or 100.5 USD"


def test_a_price_of_zero_is_never_advised() -> None:
    said = with_step("0.25", "0.1").objection("tick_size")
    assert said is not None
    assert said.fix == "a limit price of 0.25 USD"


@given(st.integers(1, 10**12), st.integers(1, 10**6))
def test_only_whole_multiples_pass(amount_millionths: int, step_millionths: int) -> None:
    situation = with_step(D(step_millionths) / 10**6, D(amount_millionths) / 10**6)
    is_whole = amount_millionths % step_millionths == 0
    assert (situation.objection("tick_size") is None) is is_whole
