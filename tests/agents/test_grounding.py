"""A number may be shown only if a fact of its kind stands behind it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.evidence import Evidence, Fact, Kind
from agents.grounding import Flaw, ground

KNOWN = Evidence(
    facts=(
        Fact("odds", Decimal("0.1234"), Kind.RATIO),
        Fact("loss", Decimal("-0.0716"), Kind.RATIO),
        Fact("cost", Decimal("12.5"), Kind.BPS),
        Fact("price", Decimal("2506.85"), Kind.MONEY),
        Fact("budget", Decimal(10_000), Kind.MONEY),
        Fact("horizon", Decimal(21), Kind.COUNT),
        Fact("risk", Decimal("61.5"), Kind.SCORE),
        Fact("share", Decimal("0.3333"), Kind.RATIO),
        Fact("nothing", Decimal(0), Kind.RATIO),
        Fact("lift", Decimal("0.6"), Kind.RATIO),
    ),
    dates=frozenset({date(2018, 12, 31), date(2019, 1, 3)}),
    names=frozenset({"d-0123456789abcdef01234567", "trend.sma200", "ab12" * 16, "SPX"}),
)


def flaws(text: str) -> list[Flaw]:
    return [finding.flaw for finding in ground(text, KNOWN).findings]


@pytest.mark.parametrize(
    "text",
    [
        "the odds are 12.3 %",
        "the odds are 12.34 %",
        "the odds are 12 percent",
        "the odds are 0.1234",
        "the odds are 0.12",
        "the odds are 1234 bps",
        "it costs 12.5 bps, that is 0.125 %",
        "a return of -7.2 %",
        "a fall of 7.2 %",
        "you may lose seven percent",
        "it stands at 2,506.85 USD",
        "it stands at $2,507",
        "a budget of 10k USD",
        "a budget of ten thousand dollars",
        "a 21-day horizon, twenty-one days",
        "a risk score of 61.5 of 100, or 62/100",
        "a third of it, 33 %, 1/3",
        "exactly 0 %",
        "as of 2018-12-31, until 3 January 2019, in December 2018 and 2019",
        "as of 2018-12-31T23:59:59Z; until Jan 3, 2019",
        "proposal d-0123456789abcdef01234567 for SPX, snapshot ab12ab12ab12",
        "above its SMA200, RSI14 and GARCH(1,1); the S&P 500 too",
        "1. first\n2. second\n3. third",
    ],
)
def test_what_stands_in_the_evidence_may_be_said(text: str) -> None:
    assert flaws(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "the odds are 12.4 %",
        "the odds are 13 %",
        "the odds are 123 %",
        "the odds are 12.3 USD",
        "the odds are 12.340001 %",
        "the odds are 1.3e-1",
        "the odds are twenty percent",
        "one in five",
        "half of the budget",
        "a gain of 7.2 %",
        "a return of +7.2 %",
        "it stands at 2,506.85 %",
        "it stands at 2,600 USD",
        "it stands at 2506.84",
        "a budget of 20k USD",
        "a 30-day horizon",
        "a risk score of 70 of 100",
        "a risk score of 61.5 %",
        "about 1",
        "RSI99%",
        "gain99%",
        "99",
        "ninety-nine",
        "\u0669\u0669 %",
        "9\u200b9 %",
        "2020 was good",
        "20 percent per year",
        "1. first\n99. hidden",
    ],
)
def test_what_does_not_may_not(text: str) -> None:
    assert Flaw.UNSUPPORTED_NUMBER in flaws(text)


@pytest.mark.parametrize(
    "text", ["as of 2018-12-30", "on 31 December 2017", "in March 2018", "until 4 January"]
)
def test_a_date_must_be_known(text: str) -> None:
    assert flaws(text) == [Flaw.UNSUPPORTED_DATE]


@pytest.mark.parametrize(
    "text",
    ["zwanzig %", "a lot of $", "XX percent", "10\u00b2", "\u00bd of it", "many basis points", "1 x 10^3"],
)
def test_a_unit_without_a_readable_number_is_refused(text: str) -> None:
    assert Flaw.UNREADABLE_NUMBER in flaws(text)


def test_what_was_cited_is_told() -> None:
    assert ground("12.3 % at 2,506.85 USD", KNOWN).cited == ("odds", "price")


@given(st.integers(min_value=1, max_value=99_999), st.integers(min_value=0, max_value=4))
def test_no_evidence_supports_no_number(value: int, places: int) -> None:
    shown = f"{Decimal(value).scaleb(-places):f} %"
    assert ground(shown, Evidence()).findings


@given(st.decimals(min_value="0.01", max_value="0.99", places=4), st.integers(min_value=1, max_value=2))
def test_a_ratio_supports_its_own_rounding_and_no_neighbour(ratio: Decimal, places: int) -> None:
    known = Evidence((Fact("it", ratio, Kind.RATIO),))
    rounded = round(100 * ratio, places)
    neighbour = rounded + Decimal(2).scaleb(-places)
    assert not ground(f"{rounded} %", known).findings
    assert ground(f"{neighbour} %", known).findings
