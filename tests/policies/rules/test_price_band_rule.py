"""After a session that left the instrument's price band nothing is bought."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import D, Situation, price, session
from when_to_invest.instruments import Session
from when_to_invest.intents import Side
from when_to_invest.market import SessionRange

AROUND_THE_CLOCK = {"session": Session.CONTINUOUS, "volatility": D("0.6")}
WILDER = {"session": Session.CONTINUOUS, "volatility": D(2)}


def after(went: SessionRange | None) -> Situation:
    return Situation(reference=price(went=went))


@pytest.mark.parametrize(
    "went",
    [
        session("95.0001", "104.9999"),
        session("90.0001", "101", volatility=D("0.41")),
        session("1.61", "2.3", before=2),
        session("0.42", "0.51", before="0.51"),
        session("85.0001", "114.9", **AROUND_THE_CLOCK),
    ],
)
def test_a_session_within_its_band_passes(went: SessionRange) -> None:
    assert after(went).objection("price_band") is None


@pytest.mark.parametrize(
    ("went", "limit", "attempted", "unit"),
    [
        (session("95", "101"), "500", "500", "bps below the close before"),
        (session("99", "105.01"), "500", "501", "bps above the close before"),
        (session("95", "105"), "500", "500", "bps below the close before"),
        (session("89", "101", volatility=D("0.41")), "1000", "1100", "bps below the close before"),
        (session("1.6", "2", before=2), "2000", "2000", "bps below the close before"),
        (session("84", "101", **AROUND_THE_CLOCK), "1500", "1600", "bps below the close before"),
        (
            session("79", "101", **WILDER),
            "2000",
            "2100",
            "bps below the close before",
        ),
    ],
)
def test_a_session_that_touched_it_is_refused_for_buys_alone(
    went: SessionRange, limit: str, attempted: str, unit: str
) -> None:
    said = after(went).objection("price_band")
    assert said is not None
    assert (said.code, said.limit, said.attempted, said.unit) == (
        "price_band_touched",
        limit,
        attempted,
        unit,
    )
    assert D(said.overage) == D(attempted) - D(limit)
    assert after(went).asking(side=Side.SELL).objection("price_band") is None


@pytest.mark.parametrize(
    "went",
    [
        None,
        session("NaN"),
        session(0),
        session(before="-1"),
        session(volatility=D("NaN")),
        session(volatility=D(-1)),
        session(volatility=D(1001)),
    ],
)
def test_a_session_that_nobody_knows_refuses(went: SessionRange | None) -> None:
    said = after(went).objection("price_band")
    assert said is not None
    assert said.code == "missing_fact"


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 2_000))
def test_the_farther_side_decides_against_the_tighter_band(low: int, high: int, bps: int) -> None:
    limits = tighten(HARD_LIMITS, {"max_price_band_bps": str(bps)})
    moved = max(Decimal(100 - low), Decimal(high - 100), Decimal(0))
    is_refused = after(session(low, high)).objection("price_band", limits) is not None
    assert is_refused == (moved * 100 >= min(500, bps))
