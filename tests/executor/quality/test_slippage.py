"""Costs have one sign on both sides, and the market is asked only for what it had shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.quality.figures import Missing
from executor.quality.slippage import (
    average_price_usd,
    effective_spread_bps,
    realised_spread_bps,
    slippage_bps,
)
from executor.quality.tape import Tape
from tests.executor.quality.test_shortfall import PRICES, traded
from tests.executor.quality.walks import MINUTE, NOW, D, after, bar, filled_at, planned_walk, tape
from when_to_invest.intents import Side
from when_to_invest.orders import OrderStep

UNKNOWN = Missing("nobody knows")


@pytest.mark.parametrize(("side", "cost"), [(Side.BUY, 100), (Side.SELL, -100)])
def test_paying_more_costs_a_buyer_and_is_a_sellers_gain(side: Side, cost: int) -> None:
    assert slippage_bps(side, price_usd=D(101), benchmark_usd=D(100)) == cost


@given(price=PRICES, benchmark=PRICES)
def test_what_one_side_loses_the_other_gains(price: Decimal, benchmark: Decimal) -> None:
    both = [slippage_bps(side, price_usd=price, benchmark_usd=benchmark) for side in Side]
    assert both[0] == -both[1]  # type: ignore[operator] # both are known


def test_the_spread_paid_is_what_was_kept_and_what_the_price_moved() -> None:
    """Huang and Stoll (1996): effective spread = realised spread + price impact."""
    effective = effective_spread_bps(Side.BUY, price_usd=D("100.02"), middle_usd=D(100))
    realised = realised_spread_bps(Side.BUY, price_usd=D("100.02"), middle_usd=D(100), later_usd=D("100.015"))
    assert (effective, realised) == (4, 1)


def test_nothing_known_gives_nothing() -> None:
    assert slippage_bps(Side.BUY, price_usd=UNKNOWN, benchmark_usd=D(1)) == UNKNOWN
    assert slippage_bps(Side.BUY, price_usd=D(1), benchmark_usd=UNKNOWN) == UNKNOWN
    assert effective_spread_bps(Side.BUY, price_usd=D(1), middle_usd=UNKNOWN) == UNKNOWN
    assert realised_spread_bps(Side.BUY, price_usd=D(1), middle_usd=D(1), later_usd=UNKNOWN) == UNKNOWN
    assert isinstance(average_price_usd([]), Missing)


def test_an_average_is_weighted_by_quantity() -> None:
    assert average_price_usd([traded(1, "100"), traded(3, "104")]) == 103


def test_only_bars_wholly_within_count_for_the_average() -> None:
    market = tape("1", "100", "104", "1")
    assert market.vwap_usd(NOW + MINUTE, NOW + 3 * MINUTE) == 102
    assert market.vwap_usd(NOW + MINUTE, NOW + 3 * MINUTE - timedelta(seconds=1)) == 100
    assert isinstance(market.vwap_usd(NOW, NOW + timedelta(seconds=59)), Missing)


def test_volume_weighs_the_average_and_must_be_known() -> None:
    heavy = Tape((bar(0, "100", "1"), bar(1, "104", "3")))
    assert heavy.vwap_usd(NOW, NOW + 2 * MINUTE) == 103
    for volume in (None, "0"):
        silent = Tape((bar(0, "100", volume),))
        assert isinstance(silent.vwap_usd(NOW, NOW + MINUTE), Missing)


@given(minute=st.integers(0, 9), second=st.integers(0, 59))
def test_no_close_is_known_before_its_bar_has_closed(minute: int, second: int) -> None:
    market = tape(*(str(100 + place) for place in range(10)))
    at = NOW + minute * MINUTE + timedelta(seconds=second)
    seen = market.close_at(at, since=NOW - MINUTE)
    later = replace(market, bars=tuple(b for b in market.bars if b.closed_at <= at))
    assert seen == later.close_at(at, since=NOW - MINUTE)
    assert seen == (100 + minute - 1 if minute else Missing("no bar closed in that time"))


def test_arrival_is_the_quote_where_a_plan_began_and_the_judged_close_without_one() -> None:
    plain = filled_at("101").measured()
    assert plain.arrival_slippage_bps == 100
    walk = planned_walk().sent(10, quantity=D(10)).moved(11, OrderStep.ACKNOWLEDGED)
    worked = walk.filled(12, "10", "100.01").measured()
    assert worked.arrival_slippage_bps == 1
    assert worked.orders[0].effective_spread_bps == 2


def test_the_realised_spread_waits_for_what_comes() -> None:
    walk = planned_walk().sent(10, quantity=D(10)).moved(11, OrderStep.ACKNOWLEDGED)
    walk.filled(12, "10", "100.01")
    market = tape("100", "100", "100", "100", "100.005", "7")
    assert walk.measured(market).orders[0].realised_spread_bps == D(1)
    early = walk.measured(market, now=after(311)).orders[0].realised_spread_bps
    assert isinstance(early, Missing)
    assert "300 s" in early.why
    assert isinstance(walk.measured(Tape()).orders[0].realised_spread_bps, Missing)


def test_the_markets_average_is_taken_from_sending_to_the_last_trade() -> None:
    walk = planned_walk().sent(60, quantity=D(10)).moved(61, OrderStep.ACKNOWLEDGED)
    walk.filled(90, "5", "101", is_last=False).filled(180, "5", "103")
    found = walk.measured(tape("7", "99", "101", "7"))
    assert found.vwap_slippage_bps == 200
    assert isinstance(walk.measured().vwap_slippage_bps, Missing)


def test_without_a_price_at_arrival_there_is_no_slippage() -> None:
    walk = filled_at("101")
    walk.told = [
        each.model_copy(update={"facts_json": "{}"}) if hasattr(each, "facts_json") else each
        for each in walk.told
    ]
    found = walk.measured()
    assert isinstance(found.arrival_slippage_bps, Missing)
    assert isinstance(found.shortfall.total_usd, Missing)
    assert found.orders[0].arrival_basis is None
