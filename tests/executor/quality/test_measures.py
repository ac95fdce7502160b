"""Whatever happened, measures add up, repeat, and know nothing that had not happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from executor.quality.analysis import Bounds, analyse, measured
from executor.quality.figures import Missing
from executor.quality.measures import DecisionMeasures, measure
from executor.quality.passages import passage_of
from executor.quality.tape import Tape
from home.alarms import AlarmSettings
from policies.limits import HARD_LIMITS
from tests.executor.quality.walks import LATER, NOW, D, Walk, after, filled_at, tape
from tests.when_to_invest.samples import Story, order_intent
from when_to_invest.history import DecisionRecord, decisions
from when_to_invest.intents import Side
from when_to_invest.orders import OrderState, OrderStep

BOUNDS = Bounds(AlarmSettings(), HARD_LIMITS)
ENDINGS = [OrderStep.CANCELLED, OrderStep.EXPIRED]


@st.composite
def walks(draw: st.DrawFn, n: int = 1) -> Walk:
    """Draw a decision whose one order does anything that an order can do, at any pace."""
    side = draw(st.sampled_from(Side))
    walk = Walk(
        n, changes={"side": side}, arrival=draw(st.sampled_from([None, "99", "100", "101"]))
    ).received()
    at = draw(st.integers(7, 300))
    walk.sent(at)
    if draw(st.booleans()):
        at += draw(st.integers(0, 100))
        walk.moved(at, OrderStep.LOST_SIGHT)
    at += draw(st.integers(0, 200))
    if draw(st.integers(0, 5)) == 0:
        return walk.moved(at, OrderStep.REJECTED)
    walk.moved(at, OrderStep.ACKNOWLEDGED)
    left = 10
    while left and draw(st.booleans()):
        quantity = draw(st.integers(1, left))
        left, at = left - quantity, at + draw(st.integers(0, 400))
        price = draw(st.decimals(95, 105, places=2))
        fee = draw(st.decimals(0, 3, places=2))
        walk.filled(at, str(quantity), str(price), fee_usd=fee, is_last=not left)
    if left and draw(st.booleans()):
        walk.moved(at + draw(st.integers(0, 100)), draw(st.sampled_from(ENDINGS)))
    return walk


TAPES = st.lists(st.decimals(90, 110, places=1), min_size=0, max_size=30).map(
    lambda prices: tape(*map(str, prices))
)


def figures(found: DecisionMeasures) -> list[object]:
    return [*found.hops_s.values(), *(took for order in found.orders for took in order.hops_s.values())]


@settings(max_examples=150, deadline=None)
@given(walk=walks(), market=TAPES, seconds=st.integers(0, 2_000))
def test_no_bar_that_had_not_closed_changes_anything(walk: Walk, market: Tape, seconds: int) -> None:
    now = max(after(seconds), walk.told[-1].at)
    known = replace(market, bars=tuple(bar for bar in market.bars if bar.closed_at <= now))
    assert walk.measured(market, now=now) == walk.measured(known, now=now)


@settings(max_examples=150, deadline=None)
@given(walk=walks(), market=TAPES)
def test_the_parts_add_up_and_time_runs_forward(walk: Walk, market: Tape) -> None:
    found = walk.measured(market)
    assert sum((order.filled_quantity for order in found.orders), D(0)) == found.filled_quantity
    assert all(took >= 0 for took in figures(found) if isinstance(took, Decimal))
    fall = found.shortfall
    total = fall.total_usd
    if isinstance(total, Decimal) and isinstance(found.average_price_usd, Decimal):
        rest = found.quantity - found.filled_quantity
        missed = market.close_at(walk.passage.ended_at or LATER, since=NOW - timedelta(days=9))
        paid = found.side.sign * found.filled_quantity * (found.average_price_usd - 100)
        missed_usd = found.side.sign * rest * (missed - 100) if isinstance(missed, Decimal) else D(0)
        fees = fall.fees_usd
        assert isinstance(fees, Decimal)
        assert abs(total - (paid + missed_usd + fees)) < D("1e-15")


@settings(max_examples=100, deadline=None)
@given(walk=walks(), market=TAPES)
def test_what_costs_a_buyer_is_gained_by_a_seller_with_the_same_trades(walk: Walk, market: Tape) -> None:
    found = walk.measured(market)
    turned = replace(walk.passage, side=next(side for side in Side if side is not walk.passage.side))
    other = measure(turned, market, now=LATER)
    for name in ("arrival_slippage_bps", "vwap_slippage_bps"):
        one, two = getattr(found, name), getattr(other, name)
        assert one == two if isinstance(one, Missing) else one == -two
    assert found.shortfall.fees_usd == other.shortfall.fees_usd


@settings(max_examples=40, deadline=None)
@given(data=st.data(), market=TAPES)
def test_an_account_counts_every_order_once_in_any_order(data: st.DataObject, market: Tape) -> None:
    told = [data.draw(walks(n)).record for n in range(1, data.draw(st.integers(1, 6)) + 1)]
    found = analyse(told, {"SPX": market}, BOUNDS, now=LATER)
    assert found == analyse(told[::-1], {"SPX": market}, BOUNDS, now=LATER)
    assert found.total.orders == sum(each.orders for each in found.venues) == len(told)
    assert found.total.rejected.hits == sum(order.is_rejected for order in found.orders)
    assert found.shortfall.count <= len(told)


def test_every_state_that_an_order_can_be_in_can_be_measured() -> None:
    for state in OrderState:
        story = Story(order_intent())
        record = decisions(story.until(state))[story.decision_id]
        assert passage_of(record) is not None
        (found,) = measured([record], {}, now=LATER)
        doubtful = {OrderState.SEND_INTENDED, OrderState.UNKNOWN, OrderState.QUARANTINED}
        assert any(order.is_unknown for order in found.orders) == (state in doubtful)


def test_an_account_of_nothing_is_empty_and_not_perfect() -> None:
    found = analyse([], {}, BOUNDS, now=LATER)
    assert (found.decisions, found.alarms, found.limits, found.shortfall.count) == ((), (), (), 0)
    assert isinstance(found.total.arrival_slippage.value, Missing)
    assert isinstance(found.total.filled.ratio, Missing)
    assert isinstance(found.total.rejected.interval, Missing)


def test_a_judgement_that_cannot_be_read_tells_of_no_limit() -> None:
    record: DecisionRecord = filled_at("100").record
    assert analyse([record], {}, BOUNDS, now=LATER).limits == ()
