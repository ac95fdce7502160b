"""Many orders together: counted honestly, and sure only of what they can be sure of."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.quality.delivery import delivery_of
from executor.quality.figures import Missing
from executor.quality.intervals import Cluster, Interval, bootstrap, quantile, weighted_mean, wilson
from executor.quality.measures import OrderMeasures
from executor.quality.nearness import usages
from executor.quality.passages import Stage
from executor.quality.summaries import by, hop_spreads, summarise
from executor.routing.offers import Delivery
from policies.facts import Facts
from policies.limits import HARD_LIMITS
from tests.executor.quality.walks import D, Walk, all_orders, filled_at, in_doubt, order, orders
from when_to_invest.breakers import TradingState
from when_to_invest.orders import OrderState
from when_to_invest.values import Mode

ASSUMED = Delivery(D("0.5"), D("0.25"), D("0.02"))


def test_wilsons_interval_is_the_published_one() -> None:
    """Brown, Cai and DasGupta (2001), "Interval estimation for a binomial proportion": 0 of 10, 5 of 10."""
    none, half = wilson(0, 10), wilson(5, 10)
    assert isinstance(none, Interval)
    assert isinstance(half, Interval)
    assert (none.low, round(none.high, 4)) == (0, D("0.2775"))
    assert (round(half.low, 4), round(half.high, 4)) == (D("0.2366"), D("0.7634"))


@given(count=st.integers(1, 300), data=st.data())
def test_a_share_lies_within_its_interval(count: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, count))
    found = wilson(hits, count)
    assert isinstance(found, Interval)
    assert 0 <= found.low <= D(hits) / count <= found.high <= 1


def test_the_bootstrap_finds_the_true_mean_about_as_often_as_it_says() -> None:
    draw = Random(11)  # noqa: S311 - a simulation
    found = 0
    for trial in range(60):
        sample = [Cluster(D(repr(draw.gauss(3, 2))), D(1)) for _ in range(40)]
        interval = bootstrap(sample, seed=trial)
        assert isinstance(interval, Interval)
        found += interval.low <= 3 <= interval.high
    assert 51 <= found <= 60


def test_children_of_one_decision_are_no_news() -> None:
    """Ten children each that share their decision's cost: the interval is as wide as of the decisions."""
    costs = [D(cost) for cost in (0, 2, 4, 9, 1, 6)]
    alone = [order(n, arrival_slippage_bps=cost) for n, cost in enumerate(costs)]
    many = [each for each in alone for _ in range(10)]
    few, more = (summarise("all", group, seed=3).arrival_slippage for group in (alone, many))
    assert (few.value, few.interval) == (more.value, more.interval)
    assert (few.count, more.count) == (6, 60)


def test_the_same_seed_gives_the_same_interval_and_few_decisions_none() -> None:
    sample = [Cluster(D(n), D(1)) for n in range(9)]
    assert bootstrap(sample, seed=1) == bootstrap(sample, seed=1)
    assert isinstance(bootstrap(sample[:4], seed=1), Missing)
    assert isinstance(weighted_mean([]), Missing)


def test_what_cost_more_money_weighs_more() -> None:
    small = order(1, arrival_slippage_bps=D(10), notional_usd=D(100))
    large = order(2, arrival_slippage_bps=D(2), notional_usd=D(300))
    assert summarise("all", [small, large], seed=0).arrival_slippage.value == 4


def test_what_is_unknown_is_left_out_of_means_and_counted_so() -> None:
    known = order(1, vwap_slippage_bps=D(8))
    unknown = order(2, vwap_slippage_bps=Missing("no bars"))
    found = summarise("all", [known, unknown], seed=0)
    assert (found.vwap_slippage.value, found.vwap_slippage.count) == (8, 1)
    none = summarise("all", [unknown], seed=0).vwap_slippage
    assert (isinstance(none.value, Missing), none.count) == (True, 0)


def test_rates_leave_out_what_nobody_knows() -> None:
    rejected = order(1, state=OrderState.REJECTED, filled_quantity=D(0), notional_usd=D(0))
    partly = order(2, state=OrderState.CANCELLED, filled_quantity=D("0.25"), notional_usd=D(25))
    working = order(3, state=OrderState.ACKNOWLEDGED, filled_quantity=D(0), notional_usd=D(0))
    group = [order(4), rejected, partly, working, in_doubt(90, n=5), in_doubt(30, n=6)]
    found = summarise("all", group, seed=0)
    assert (found.rejected.hits, found.rejected.count) == (1, 4)
    assert (found.filled.hits, found.filled.count) == (1, 3)
    assert found.fill_share.value == D("1.25") / 3
    assert (found.unknown, found.oldest_unknown_s) == (2, 90)


def test_each_venue_and_instrument_stands_by_itself() -> None:
    group = [order(1, venue="b"), order(2, venue="a"), order(3, venue="b")]
    assert [(each.name, each.orders) for each in by(group, lambda o: o.venue, seed=0)] == [("a", 1), ("b", 2)]


@given(values=st.lists(st.decimals(0, 100, places=2), min_size=1, max_size=40), hundredth=st.integers(1, 100))
def test_a_quantile_is_the_least_that_enough_are_not_above(values: list[Decimal], hundredth: int) -> None:
    found = quantile(values, D(hundredth) / 100, fewest=1)
    assert isinstance(found, Decimal)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= hundredth * len(values)
    assert sum(value < found for value in values) * 100 < hundredth * len(values)


def test_a_99th_of_fewer_than_a_hundred_is_not_told() -> None:
    few = summarise("all", orders(99), seed=0).latency_s[Stage.ACKNOWLEDGED]
    enough = summarise("all", orders(100), seed=0).latency_s[Stage.ACKNOWLEDGED]
    assert (few.p50_s, isinstance(few.p99_s, Missing), enough.p99_s) == (1, True, 1)


def test_hops_are_counted_where_they_are_known() -> None:
    walks = [filled_at("100", n=1), Walk(2).received()]
    found = hop_spreads([walk.measured() for walk in walks])
    assert (found[Stage.RECEIVED].count, found[Stage.FIRST_FILL].count) == (2, 1)
    assert found[Stage.RECEIVED].p50_s == 3
    assert len(all_orders(walks)) == 1


def answered(count: int, seconds: list[int], **changes: object) -> list[OrderMeasures]:
    return [
        replace(each, hops_s={Stage.ACKNOWLEDGED: D(seconds[n % len(seconds)])}, **changes)  # type: ignore[arg-type]
        for n, each in enumerate(orders(count))
    ]


def test_routing_believes_what_was_measured_once_there_is_enough_of_it() -> None:
    few = delivery_of("paper", answered(19, [1, 3]), assumed=ASSUMED)
    assert few == ASSUMED
    enough = delivery_of("paper", answered(20, [1, 3]), assumed=ASSUMED)
    assert enough.latency_s == 2
    assert enough.latency_spread_s == pytest.approx(D("1.0259784"), rel=D("1e-6"))


def test_routing_trusts_a_venue_no_more_than_it_has_proven() -> None:
    clean = delivery_of("paper", orders(20), assumed=ASSUMED)
    proven = delivery_of("paper", orders(400), assumed=ASSUMED)
    assert clean.reject_ratio > proven.reject_ratio > 0
    assert delivery_of("elsewhere", orders(400), assumed=ASSUMED) == ASSUMED


def test_the_nearest_limit_comes_first_and_what_is_unknown_is_left_out() -> None:
    known = Facts(
        decision_id="d-" + "0" * 24,
        now=filled_at("100").story().at,
        mode=Mode.REPLAY,
        trading_state=TradingState.ACTIVE,
        notional_usd=D(10_000),
        turnover_24h_usd=D(80_000),
        messages_last_minute=9,
        reference_price_usd=None,
    )
    found = {usage.limit: usage for usage in usages(known, HARD_LIMITS)}
    assert next(iter(found)) in {"max_turnover_24h_usd", "max_messages_per_minute"}
    assert found["max_turnover_24h_usd"].ratio == D("0.9")
    assert found["max_turnover_24h_usd"].is_near
    assert not found["max_order_notional_usd"].is_near
    assert "max_gross_exposure_usd" not in found
