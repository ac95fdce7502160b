"""Amounts: text in, text out, never a float, never rounded up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.money import (
    LARGEST_AMOUNT,
    NonNegativeDecimal,
    PositiveDecimal,
    decimal_text,
    exact_decimal,
    floor_to_step,
    money_from_float,
    parse_amount_usd,
)

amounts = st.decimals(min_value=-LARGEST_AMOUNT, max_value=LARGEST_AMOUNT, places=18)
not_negative = st.decimals(min_value=0, max_value=LARGEST_AMOUNT, places=18)
steps = st.sampled_from([Decimal(1), Decimal("0.01"), Decimal("0.25"), Decimal("0.0003"), Decimal("1e-18")])


@given(amounts)
def test_an_amount_survives_its_text(amount: Decimal) -> None:
    assert exact_decimal(decimal_text(amount)) == amount


@given(amounts)
def test_the_text_has_neither_exponent_nor_trailing_zeros(amount: Decimal) -> None:
    text = decimal_text(amount)
    assert "E" not in text.upper()
    assert "." not in text or not text.endswith(("0", "."))
    assert text != "-0"


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_not_finite_has_no_text(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        decimal_text(Decimal(amount))


@pytest.mark.parametrize(
    "value",
    [1.5, True, None, "", "ten", "1e", "NaN", "inf", "1e16", "-1e16", "0." + "0" * 18 + "1", [], b"1"],
)
def test_what_is_no_sane_exact_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        exact_decimal(value)


@pytest.mark.parametrize(
    ("value", "amount"), [(" 100.50 ", "100.5"), (7, "7"), ("1e3", "1000"), ("-2", "-2")]
)
def test_text_and_integers_are_amounts(value: str | int, amount: str) -> None:
    assert decimal_text(exact_decimal(value)) == amount


@given(not_negative, steps)
def test_flooring_never_rounds_up_and_loses_less_than_a_step(value: Decimal, step: Decimal) -> None:
    floored = floor_to_step(value, step)
    assert floored <= value
    assert value - floored < step


@pytest.mark.parametrize("step", ["1e-18", "0.0003", "0.7"])
def test_flooring_the_longest_amount_does_not_round_it_up(step: str) -> None:
    longest = Decimal("999999999999999.999999999999999999")
    assert floor_to_step(longest, Decimal(step)) <= longest


@given(not_negative, steps)
def test_flooring_twice_changes_nothing(value: Decimal, step: Decimal) -> None:
    floored = floor_to_step(value, step)
    assert floor_to_step(floored, step) == floored


def test_model_numbers_are_floored_at_their_door() -> None:
    assert money_from_float(1234.5678, step=Decimal("0.01")) == Decimal("1234.56")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_model_number_that_is_not_finite_never_becomes_money(value: float) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        money_from_float(value, step=Decimal("0.01"))


@pytest.mark.parametrize("text", ["0", "-5", "nan", "much", "1e99"])
def test_a_typed_amount_must_be_positive_and_sane(text: str) -> None:
    with pytest.raises(Fault) as refused:
        parse_amount_usd(text, name="--budget")
    assert refused.value.code is ErrorCode.BAD_AMOUNT
    assert "--budget" in refused.value.message


def test_a_typed_amount_is_parsed_exactly() -> None:
    assert parse_amount_usd("10000.10", name="--budget") == Decimal("10000.10")


@pytest.mark.parametrize(("kind", "value"), [(PositiveDecimal, "0"), (NonNegativeDecimal, "-0.01")])
def test_signed_kinds_refuse_what_lies_outside(kind: object, value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)
