"""While the whole market has fallen through a halt level nothing is bought."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from policies.turbulence import market_index
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


def test_an_index_of_the_same_session_counts_and_an_older_one_tells_nothing() -> None:
    counted = beside(90, age_s=3600 + 12 * 3600).objection("market_halt")
    older = beside(99, age_s=3601 + 12 * 3600).objection("market_halt")
    assert counted is not None
    assert older is not None
    assert (counted.code, older.code) == ("market_halted", "missing_fact")


@pytest.mark.parametrize(
    "index", [None, price("NaN", went=session(50)), price(went=None), price(age_s=13 * 3600 + 1)]
)
def test_without_an_index_nobody_knows_the_market_so_nothing_is_bought(index: ReferencePrice | None) -> None:
    alone = Situation(index=index)
    said = alone.objection("market_halt")
    assert said is not None
    assert said.code == "missing_fact"
    assert "SPY" in said.fix
    assert alone.asking(side=Side.SELL).objection("market_halt") is None


def test_where_trading_never_stops_no_index_is_needed() -> None:
    went = session(session=Session.CONTINUOUS, volatility=D("0.6"))
    assert Situation(reference=price(went=went), index=None).objection("market_halt") is None


def test_the_first_index_that_knows_the_session_is_read() -> None:
    old, new = price(age_s=10**6), price("55")
    asked: list[str] = []

    def read(name: str) -> ReferencePrice | None:
        asked.append(name)
        return {"SPX": old, "VOO": new}.get(name)

    assert market_index(price(), read) is new
    assert asked == ["SPX", "SPY", "VOO"]
    assert market_index(price(), lambda _: old) is None


def test_no_index_is_read_for_what_has_no_exchange_or_no_price() -> None:
    def read(name: str) -> ReferencePrice | None:
        raise AssertionError(name)

    coin = price(went=session(session=Session.CONTINUOUS))
    assert (
        market_index(None, read) is market_index(coin, read) is market_index(price(went=None), read) is None
    )


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
