"""Limit chase: rests behind the best of its own side, follows it, and not for ever."""

from __future__ import annotations

from decimal import Decimal

import pytest

from executor.algos.moves import CancelChild, Done, Market, NextChild, Wait
from tests.executor.algos.floor import NOON, SECOND, Desk, progress, quote
from when_to_invest.execution import Ending, PegPlan
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.orders import OrderState

D = Decimal
PLAN = PegPlan(duration_s=600, reprice_after_s=5, most_reprices=2)


def _resting(plan: PegPlan = PLAN) -> Desk:
    desk = Desk(plan, progress(plan))
    move = desk.look()
    assert isinstance(move, NextChild)
    desk.send(move)
    desk.now += 5 * SECOND
    return desk


def _take_back(desk: Desk) -> None:
    assert desk.open is not None
    desk.change(desk.open, state=OrderState.CANCELLED)
    desk.now += SECOND


def test_all_of_it_joins_the_best_price_of_its_own_side() -> None:
    assert Desk(PLAN, progress(PLAN)).look() == NextChild(0, 1, D(10), D("99.99"), TimeInForce.DAY)
    sell = Desk(PLAN, progress(PLAN, side=Side.SELL, limit_price_usd=D(98)))
    assert sell.look() == NextChild(0, 1, D(10), D("100.01"), TimeInForce.DAY)


@pytest.mark.parametrize(("side", "rests_usd"), [(Side.BUY, "99.89"), (Side.SELL, "100.12")])
def test_an_offset_lies_behind_the_best_price_and_rounds_away_from_it(side: Side, rests_usd: str) -> None:
    plan = PegPlan(duration_s=600, offset_bps=D(10))
    limit_usd = D(100) + side.sign * 5
    move = Desk(plan, progress(plan, side=side, limit_price_usd=limit_usd)).look()
    assert isinstance(move, NextChild)
    assert move.limit_price_usd == D(rests_usd)


def test_it_follows_a_market_that_moves_away_once_it_rested() -> None:
    desk = _resting()
    away = desk.market("100.20", "100.24")
    desk.now -= SECOND
    assert desk.look(desk.market("100.20", "100.24")) == Wait(
        NOON + 5 * SECOND, "it has not rested long enough"
    )
    desk.now += SECOND
    assert desk.look(away) == CancelChild("c-0", "the market has left its price")
    _take_back(desk)
    move = desk.look(desk.market("100.20", "100.24"))
    assert move == NextChild(1, 1, D(10), D("100.20"), TimeInForce.DAY)


def test_it_never_follows_beyond_the_collar() -> None:
    desk = _resting()
    desk.now += SECOND
    assert isinstance(desk.look(desk.market("105", "105.02")), CancelChild)
    _take_back(desk)
    move = desk.look(desk.market("105", "105.02"))
    assert isinstance(move, NextChild)
    assert move.limit_price_usd == D(101)


def test_it_is_moved_no_more_often_than_planned_and_then_rests() -> None:
    desk = _resting()
    for bid_usd in ("100.10", "100.20"):
        assert isinstance(desk.look(desk.market(bid_usd, "100.30")), CancelChild)
        _take_back(desk)
        move = desk.look(desk.market(bid_usd, "100.30"))
        assert isinstance(move, NextChild)
        desk.send(move)
        desk.now += 5 * SECOND
    assert isinstance(desk.look(desk.market("100.25", "100.30")), Wait)
    _take_back(desk)
    assert desk.look() == Done(Ending.EXHAUSTED, D(10))


@pytest.mark.parametrize(
    ("shown", "is_moved"),
    [
        ([("99.98", 10), ("99.96", 1)], True),
        ([("99.98", 11), ("99.90", 1)], True),
        ([("99.99", 1), ("99.98", 10)], False),
        ([("99.98", 10)], False),
    ],
    ids=["alone above others", "beside others", "behind others", "alone"],
)
def test_it_does_not_chase_its_own_order(shown: list[tuple[str, int]], *, is_moved: bool) -> None:
    desk = _resting(PegPlan(duration_s=600, offset_bps=D(1), most_reprices=9))
    assert desk.open is not None
    assert desk.open.limit_price_usd == D("99.98")
    bids = tuple((D(price), D(size)) for price, size in shown)
    book = quote(bids[0][0], "100.01", at=desk.now, bid_quantity=bids[0][1], bids=bids)
    assert isinstance(desk.look(Market(book)), CancelChild if is_moved else Wait)


@pytest.mark.parametrize(("side", "rests_usd"), [(Side.BUY, "99.99"), (Side.SELL, "100.01")])
def test_it_never_crosses_a_spread_that_is_narrower_than_a_tick(side: Side, rests_usd: str) -> None:
    desk = Desk(PLAN, progress(PLAN, side=side, limit_price_usd=D(100) + 2 * side.sign))
    move = desk.look(desk.market("99.998", "100.002"))
    assert isinstance(move, NextChild)
    assert move.limit_price_usd == D(rests_usd)
