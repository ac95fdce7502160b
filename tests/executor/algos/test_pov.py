"""POV: a share of the volume, never more, and no bunch after a late look."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from executor.algos.moves import CancelChild, Market, NextChild, Wait
from executor.algos.pov import stretches
from tests.executor.algos.floor import NOON, SECOND, Desk, progress
from when_to_invest.execution import PovPlan
from when_to_invest.orders import OrderState

D = Decimal
PLAN = PovPlan(duration_s=600, participation_ratio=D("0.1"))


def _desk(seconds: int = 0) -> Desk:
    return Desk(PLAN, progress(PLAN), now=NOON + seconds * SECOND)


def _traded(desk: Desk, quantity: str | None) -> Market:
    return replace(desk.market(), traded_quantity=None if quantity is None else D(quantity))


@pytest.mark.parametrize(("volume", "due"), [("5", "0.5"), ("20", "2"), ("5.05", "0.5")])
def test_a_child_is_the_share_of_what_traded(volume: str, due: str) -> None:
    desk = _desk()
    move = desk.look(_traded(desk, volume))
    assert isinstance(move, NextChild)
    assert move.quantity == D(due)


@pytest.mark.parametrize("volume", [None, "0", "0.09"])
def test_without_volume_nothing_leaves(volume: str | None) -> None:
    desk = _desk()
    assert isinstance(desk.look(_traded(desk, volume)), Wait)


def test_a_late_look_at_a_large_volume_catches_up_slowly() -> None:
    desk = _desk(300)
    move = desk.look(_traded(desk, "61"))
    assert isinstance(move, NextChild)
    assert move.quantity == D("0.2")


def test_one_child_leaves_in_each_stretch() -> None:
    desk = _desk()
    first = desk.look(_traded(desk, "5"))
    assert isinstance(first, NextChild)
    desk.fill(desk.send(first))
    desk.now += 2 * SECOND
    assert desk.look(_traded(desk, "50")) == Wait(NOON + 5 * SECOND, "the next stretch")


def test_a_child_whose_price_the_market_left_is_taken_back_after_its_stretch() -> None:
    desk = _desk()
    first = desk.look(_traded(desk, "5"))
    assert isinstance(first, NextChild)
    desk.send(first)
    moved = desk.market("100.10", "100.12")
    assert isinstance(desk.look(moved), Wait)
    desk.now += 5 * SECOND
    assert isinstance(desk.look(desk.market()), Wait)
    assert desk.look(desk.market("100.10", "100.12")) == CancelChild("c-0", "the market has left its price")


def test_what_may_still_trade_counts_against_the_share() -> None:
    desk = _desk()
    first = desk.look(_traded(desk, "20"))
    assert isinstance(first, NextChild)
    sent = desk.send(first)
    desk.change(sent, filled_quantity=D("0.5"), state=OrderState.CANCELLED)
    desk.now += 5 * SECOND
    move = desk.look(_traded(desk, "20"))
    assert isinstance(move, NextChild)
    assert move.quantity == D("1.5")


@pytest.mark.parametrize(("duration_s", "count"), [(1, 1), (9, 1), (600, 120), (86_400, 500)])
def test_a_window_has_at_most_five_hundred_stretches(duration_s: int, count: int) -> None:
    assert stretches(PovPlan(duration_s=duration_s, participation_ratio=D("0.1"))) == count
