"""While the whole market has fallen through a halt level nothing is bought."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import D, Situation, price, session
from when_to_invest.instruments import Session
from when_to_invest.intents import Side
from when_to_invest.market import ReferencePrice


def beside(low: str | int, **index: object) -> Situation:
    return Situation(index=price(went=session(low), **index))  # type: ignore[arg-type]


def test_a_fall_above_the_first_level_passes() -> None:
    assert beside("93.01").objection("market_halt") is None


@pytest.mark.parametrize(("low", "level"), [("93", 1), ("87.01", 1), ("87", 2), ("80.01", 2), ("80", 3)])
def test_a_fall_through_a_level_is_refused_for_buys_alone(low: str, level: int) -> None:
    said = beside(low).objection("market_halt")
    assert said is not None
    assert (said.code, said.limit) == ("market_halted", "700")
    assert said.unit == f"bps below the close before (level {level} of 3)"
    assert D(said.overage) == D(said.attempted) - 700
    assert beside(low).asking(side=Side.SELL).objection("market_halt") is None


def test_an_index_of_the_same_session_counts_and_an_older_one_does_not() -> None:
    assert beside(90, age_s=3600 + 12 * 3600).objection("market_halt") is not None
    assert beside(90, age_s=3601 + 12 * 3600).objection("market_halt") is None


@pytest.mark.parametrize("index", [None, price("NaN", went=session(50)), price(went=None)])
def test_without_an_index_the_instruments_own_session_counts(index: ReferencePrice | None) -> None:
    own = Situation(reference=price(went=session(92)), index=index)
    assert own.objection("market_halt") is not None
    assert own.but(reference=price()).objection("market_halt") is None


def test_where_trading_never_stops_the_level_grows_with_volatility_and_the_index_means_nothing() -> None:
    def coin(low: str) -> Situation:
        went = session(low, session=Session.CONTINUOUS, volatility=D("0.6"))
        return Situation(reference=price(went=went), index=price(went=session(50)))

    assert coin("79.01").objection("market_halt") is None
    said = coin("79").objection("market_halt")
    assert said is not None
    assert said.limit == "2100"


def test_a_market_that_nobody_knows_refuses() -> None:
    said = Situation(reference=price(went=None)).objection("market_halt")
    assert said is not None
    assert said.code == "missing_fact"


@given(st.integers(1, 100), st.integers(0, 700))
def test_no_buy_passes_from_the_tightened_level_on(low: int, bps: int) -> None:
    limits = tighten(HARD_LIMITS, {"market_halt_bps": str(bps)})
    is_refused = beside(low).objection("market_halt", limits) is not None
    assert is_refused == ((100 - low) * 100 >= bps)
