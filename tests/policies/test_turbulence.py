"""How far a session went is read against the order, and only from data that make sense."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from policies.turbulence import _SameRange, market_index, outside_range_ratio, read_market, read_turbulence
from tests.strategies.situations import NOW, D, price, session
from when_to_invest.instruments import Session
from when_to_invest.market import ReferencePrice
from when_to_invest.recent import LastPrint

AROUND_THE_CLOCK = {"session": Session.CONTINUOUS}


def went(*args: str, **changes: object) -> ReferencePrice:
    return price(went=session(*args, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("volatility", "growth"), [("0", "1"), ("0.1", "1"), ("0.2", "1"), ("0.5", "2.5"), ("1000", "5000")]
)
def test_the_bands_grow_with_volatility_where_trading_never_stops_and_nowhere_else(
    volatility: str, growth: str
) -> None:
    wild = read_turbulence(went(volatility=D(volatility), **AROUND_THE_CLOCK))
    calm = read_turbulence(went(volatility=D(volatility)))
    assert wild is not None
    assert calm is not None
    assert (wild.growth, calm.growth) == (D(growth), D(1))


@pytest.mark.parametrize("volatility", ["-0.000001", "1000.000001", "NaN", "Infinity"])
def test_a_volatility_that_makes_no_sense_tells_nothing(volatility: str) -> None:
    assert read_turbulence(went(volatility=D(volatility))) is None


def test_a_session_moved_as_far_as_its_ends_lie_from_the_close_before() -> None:
    seen = read_turbulence(went("97", "104"))
    assert seen is not None
    assert (seen.fall_ratio, seen.rise_ratio) == (D("0.03"), D("0.04"))
    up = read_turbulence(went("101", "102"))
    assert up is not None
    assert (up.fall_ratio, up.rise_ratio) == (D(0), D("0.02"))


def test_moves_are_rounded_up() -> None:
    seen = read_turbulence(went("99.99999999", "100.00000001"))
    assert seen is not None
    assert seen.fall_ratio == seen.rise_ratio == D("0.000001")


def printed(usd: str) -> LastPrint:
    return LastPrint(Decimal(usd), NOW)


@pytest.mark.parametrize(("usd", "ratio"), [("98", "0.01"), ("99", "0"), ("101", "0"), ("103", "0.02")])
def test_a_print_lies_outside_by_what_it_is_beyond_the_range(usd: str, ratio: str) -> None:
    assert outside_range_ratio(printed(usd), went("99", "101")) == D(ratio)


def test_a_print_is_compared_with_no_range_that_makes_no_sense() -> None:
    assert outside_range_ratio(printed("100"), price(went=None)) is None
    assert outside_range_ratio(printed("100"), went("NaN")) is None


def test_an_index_without_a_range_tells_nothing_of_the_market() -> None:
    blind = price(went=None)
    assert market_index(price(), lambda _: blind) is None
    assert read_market(price(), blind) is None
    assert read_market(price(), price("NaN")) is None
    assert read_market(price(), None) is None


def test_an_instrument_whose_trading_never_stops_is_its_own_market() -> None:
    coin = went("90", "101", **AROUND_THE_CLOCK)
    assert read_market(coin, None) == read_turbulence(coin)
    assert read_market(None, price()) is None


def test_a_range_is_known_again_by_being_that_very_one() -> None:
    seen = went("97", "104").range
    assert seen is not None
    assert _SameRange(seen) == _SameRange(seen)
    assert _SameRange(seen) != _SameRange(replace(seen))
    assert _SameRange(seen) != seen
