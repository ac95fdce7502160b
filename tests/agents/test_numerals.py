"""Numbers are read in every form people, and attackers, write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.number_words import figures
from agents.numerals import Unit, numerals
from agents.prose import normalised, odd_numerals


def read(text: str) -> list[tuple[Decimal, Unit]]:
    shown = normalised(text)
    return [(item.value.normalize(), item.unit) for item in figures(shown)]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("12.3 %", "12.3", Unit.HUNDREDTHS),
        ("12.3 percent", "12.3", Unit.HUNDREDTHS),
        ("12 per cent", "12", Unit.HUNDREDTHS),
        ("2 percentage points", "2", Unit.HUNDREDTHS),
        ("35 bps", "35", Unit.BPS),
        ("35 basis points", "35", Unit.BPS),
        ("1,234.50 USD", "1234.5", Unit.MONEY),
        ("$1,234.50", "1234.5", Unit.MONEY),
        ("USD5000", "5000", Unit.MONEY),
        ("€4k", "4000", Unit.MONEY),
        ("1.2 million dollars", "1200000", Unit.MONEY),
        ("-$5", "-5", Unit.MONEY),
        ("a 21-day horizon", "21", Unit.DAYS),
        ("5 sessions", "5", Unit.DAYS),
        ("-7.2 %", "-7.2", Unit.HUNDREDTHS),
        ("\u22127.2 %", "-7.2", Unit.HUNDREDTHS),
        ("1.2e-3", "0.0012", Unit.BARE),
        ("3E2 USD", "300", Unit.MONEY),
        ("62 of 100", "62", Unit.SCORE),
        ("62/100", "62", Unit.SCORE),
        ("1 in 5", "20", Unit.HUNDREDTHS),
        ("gain12%", "12", Unit.HUNDREDTHS),
        (".5 %", "0.5", Unit.HUNDREDTHS),
    ],
)
def test_a_number_is_read_with_its_unit(text: str, value: str, unit: Unit) -> None:
    assert read(text) == [(Decimal(value).normalize(), unit)]


@pytest.mark.parametrize(
    "text",
    [
        "\u0661\u0662 %",  # Arabic-Indic
        "\uff11\uff12 %",  # full width
        "\u096712 %".replace("12", "\u0968"),  # Devanagari
        "1\u200b2 %",  # zero-width space inside
        "1**2** %",  # emphasis inside
        "1<b>2</b> %",  # markup inside
        "&#49;2 &percnt;",  # entities
        "1_2 %",
        "1\u20602\u00a0\uff05",
    ],
)
def test_a_disguised_number_is_what_the_reader_sees(text: str) -> None:
    assert read(text) == [(Decimal(12), Unit.HUNDREDTHS)]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("twenty percent", 20, Unit.HUNDREDTHS),
        ("Twenty-five per cent", 25, Unit.HUNDREDTHS),
        ("one hundred and five dollars", 105, Unit.MONEY),
        ("three thousand dollars", 3000, Unit.MONEY),
        ("half of the budget", 50, Unit.HUNDREDTHS),
        ("three quarters of the budget", 75, Unit.HUNDREDTHS),
        ("one in five", 20, Unit.HUNDREDTHS),
        ("ninety", 90, Unit.BARE),
        ("ten times", 10, Unit.BARE),
        ("five days", 5, Unit.DAYS),
    ],
)
def test_a_spelled_number_counts_like_digits(text: str, value: int, unit: Unit) -> None:
    assert read(text) == [(Decimal(value).normalize(), unit)]


@pytest.mark.parametrize("text", ["one of them", "two reasons", "nothing at all", "the second half"])
def test_ordinary_language_is_no_figure(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize("text", ["10\u00b2", "\u00bd", "\u2163", "\u2460", "5 \u2030"])
def test_characters_that_mean_numbers_are_named(text: str) -> None:
    assert odd_numerals(text)


def test_a_range_shares_its_unit() -> None:
    assert read("between -5 and 10 %") == [(Decimal(-5), Unit.HUNDREDTHS), (Decimal("1E+1"), Unit.HUNDREDTHS)]
    assert read("5-10 %") == [(Decimal(5), Unit.HUNDREDTHS), (Decimal("1E+1"), Unit.HUNDREDTHS)]


def test_a_bullet_is_no_minus() -> None:
    assert read("- 8.3 % of it") == [(Decimal("8.3"), Unit.HUNDREDTHS)]


@given(
    st.decimals(min_value=0, max_value=10**9, places=2), st.sampled_from(["", " %", " USD", " bps", " days"])
)
def test_whatever_is_written_plainly_is_read_back(value: Decimal, unit: str) -> None:
    (found,) = numerals(normalised(f"it is {value:,}{unit} now"))
    assert found.value == value


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    shown = normalised(text)
    digits = {n for n, character in enumerate(shown) if character in "0123456789"}
    for item in numerals(shown):
        digits -= set(range(item.start, item.end))
    assert not digits
