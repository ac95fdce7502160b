"""One byte form: whatever the order of keys, whichever process writes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from when_to_invest.canonical import canonical_bytes, digest, utc_text

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@given(trees)
def test_the_byte_form_reads_back_as_what_was_written(tree: object) -> None:
    assert json.loads(canonical_bytes(tree)) == tree


@given(trees)
def test_writing_what_was_read_gives_the_same_bytes(tree: object) -> None:
    written = canonical_bytes(tree)
    assert canonical_bytes(json.loads(written)) == written


@given(st.dictionaries(st.text(), st.integers(), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(tree: dict[str, int], chance: object) -> None:
    keys = list(tree)
    chance.shuffle(keys)  # type: ignore[attr-defined]
    assert digest({key: tree[key] for key in keys}) == digest(tree)


@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_an_instant_is_written_in_utc(instant: datetime) -> None:
    text = utc_text(instant)
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == instant.astimezone(UTC)


def test_one_instant_in_two_zones_has_one_text() -> None:
    noon = datetime(2018, 6, 1, 12, tzinfo=UTC)
    assert (
        utc_text(noon.astimezone(timezone(timedelta(hours=-5)))) == utc_text(noon) == "2018-06-01T12:00:00Z"
    )


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = datetime(2018, 6, 1, 12)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="time zone"):
        canonical_bytes({"at": naive})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity")])
def test_what_is_not_finite_has_no_byte_form(number: float | Decimal) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json and decimal word it differently
        canonical_bytes([number])


def test_equal_amounts_have_one_byte_form() -> None:
    forms = {canonical_bytes({"usd": Decimal(text)}) for text in ("100", "100.00", "1e2", "1E+2")}
    assert forms == {b'{"usd":"100"}'}


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object()])
def test_a_value_without_a_single_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical_bytes(value)


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical_bytes("\ud800")
