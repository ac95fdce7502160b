"""Figures are exact and finite, and a price is used only when it is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from policies.exactness import Figure, bps_beyond, known_price, usable_price
from tests.strategies.situations import D, price
from when_to_invest.money import LARGEST_AMOUNT

FIGURE: TypeAdapter[Decimal] = TypeAdapter(Figure)


@pytest.mark.parametrize("value", [True, False, 1.5, None, [1], "NaN", "Infinity", D("-Infinity"), D("sNaN")])
def test_what_is_no_finite_number_is_no_figure(value: Any) -> None:
    with pytest.raises(ValidationError):
        FIGURE.validate_python(value)


@pytest.mark.parametrize(("value", "figure"), [("-2.50", "-2.5"), (7, "7"), (D("1E+3"), "1000"), ("0", "0")])
def test_a_figure_travels_as_exact_text(value: Any, figure: str) -> None:
    assert FIGURE.dump_python(FIGURE.validate_python(value)) == figure


def test_a_figure_has_at_most_a_hundred_places_before_or_behind_the_point() -> None:
    assert FIGURE.validate_python("1E+100") == D("1E+100")
    assert FIGURE.validate_python("1E-100") == D("1E-100")
    for text in ("1E+101", "1E-101"):
        with pytest.raises(ValidationError):
            FIGURE.validate_python(text)


@pytest.mark.parametrize("value", [D(0), D("-1"), D("NaN"), D("Infinity"), 1.0, 1, "1", None, D("1E-19")])
def test_what_is_no_price_is_not_used(value: Any) -> None:
    assert usable_price(value) is None


def test_a_price_may_be_as_large_as_any_amount_and_no_larger() -> None:
    assert usable_price(LARGEST_AMOUNT) == LARGEST_AMOUNT
    assert usable_price(LARGEST_AMOUNT + 1) is None


def test_a_price_is_rounded_to_eighteen_decimals_half_to_even() -> None:
    assert usable_price(D("1.0000000000000000005")) == D("1.000000000000000000")
    assert usable_price(D("1.0000000000000000015")) == D("1.000000000000000002")


def test_how_far_a_price_lies_beyond_another_is_never_told_as_nothing() -> None:
    assert bps_beyond(D("100.0000000001"), D(100)) == D("0.0001")
    assert bps_beyond(D("99.9999999999"), D(100)) == D("-0.0001")
    assert bps_beyond(D(102), D(100)) == D(200)


def test_a_reference_counts_only_with_a_price_a_source_and_an_instant() -> None:
    known = price("100.5")
    assert known_price(known) == known
    naive: Any = datetime(2018, 6, 1, tzinfo=UTC).replace(tzinfo=None)
    spoilt: Any = [
        replace(known, source=""),
        replace(known, price_usd=D(0)),
        replace(known, known_at=naive),
        replace(known, known_at="2018-06-01"),  # type: ignore[arg-type]
    ]
    assert [known_price(each) for each in (None, *spoilt)] == [None] * 5
