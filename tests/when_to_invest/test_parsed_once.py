"""Instants and amounts are parsed once a text; what is taken and refused is as before."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import AfterValidator, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from when_to_invest.money import ExactDecimal, NonNegativeDecimal, PositiveDecimal, exact_decimal
from when_to_invest.values import Instant

STRICT = ConfigDict(strict=True, allow_inf_nan=False)


def in_utc(value: datetime) -> datetime:
    if value.tzinfo is None or not 1900 <= value.year < 9000:
        raise ValueError
    return value.astimezone(UTC)


def above_zero(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError
    return value


def not_below_zero(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError
    return value


EXACT = Annotated[Decimal, BeforeValidator(exact_decimal)]
PAIRS: list[tuple[Any, Any]] = [
    (Instant, Annotated[datetime, AfterValidator(in_utc)]),
    (ExactDecimal, EXACT),
    (PositiveDecimal, Annotated[EXACT, AfterValidator(above_zero)]),
    (NonNegativeDecimal, Annotated[EXACT, AfterValidator(not_below_zero)]),
]
near_texts = st.one_of(
    st.from_regex(
        r"(18|19|20|89|90)\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d(\.\d{6}|\.\d{0,9})?Z", fullmatch=True
    ),
    st.datetimes(timezones=st.sampled_from([UTC, None])).map(str),
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.decimals(allow_nan=True).map(str),
    st.text(max_size=8),
    st.text("0123456789-:TZ+. ", max_size=24),
)
plain = st.one_of(near_texts, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.integers()))


def outcome(adapter: TypeAdapter[Any], document: bytes) -> Any:
    try:
        return repr(adapter.validate_json(document))
    except ValidationError:
        return None


@pytest.mark.parametrize(("ours", "slow"), PAIRS)
@given(value=plain)
@example(value="2018-06-01T21:00:00Z")
@example(value="2018-06-01T21:00:00+02:00")
@example(value="2018-02-29T21:00:00Z")
@example(value="2018-06-01T24:00:00Z")
@example(value="2018-06-01T23:59:60Z")
@example(value="8999-12-31T23:59:59.999999Z")
@example(value="9000-01-01T00:00:00Z")
@example(value="1899-12-31T23:59:59Z")
@example(value="2018-06-01T21:00:00Z\n")
@example(value="2018-06-0\u0661T21:00:00Z")
@example(value=1_527_886_800)
@example(value="0.10")
@example(value=0)
def test_as_json_exactly_the_same_is_taken(ours: Any, slow: Any, value: object) -> None:
    document = json.dumps(value).encode()
    quick, plainly = TypeAdapter(ours, config=STRICT), TypeAdapter(slow, config=STRICT)
    assert outcome(quick, document) == outcome(quick, document) == outcome(plainly, document)


@pytest.mark.parametrize(("ours", "value"), [(Instant, "2018-06-01T21:00:00Z"), (PositiveDecimal, 1.5)])
def test_values_made_here_are_no_looser_than_those_that_are_read(ours: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ours, config=STRICT).validate_python(value)
