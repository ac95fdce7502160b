"""Iceberg: a part at a time, at the worst price allowed, and no crumb at the end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from executor.algos.iceberg import MOST_FRUITLESS
from executor.algos.moves import Done, NextChild, Wait
from tests.executor.algos.floor import NOON, SECOND, TERMS, Desk, child, progress
from when_to_invest.execution import Ending, IcebergPlan
from when_to_invest.intents import TimeInForce
from when_to_invest.orders import OrderState

D = Decimal
PLAN = IcebergPlan(duration_s=600, display_quantity=D(3))


def test_it_shows_a_part_and_then_the_next() -> None:
    desk = Desk(PLAN, progress(PLAN))
    sent = desk.work(step=SECOND)
    assert [(move.slice_index, move.quantity) for move in sent] == [
        (0, D(3)), (1, D(3)), (2, D(3)), (3, D(1)),
    ]  # fmt: skip
    assert desk.look() == Done(Ending.FILLED, D(0))


def test_a_part_rests_at_the_collars_end_until_the_window_ends() -> None:
    desk = Desk(PLAN, progress(PLAN))
    first = desk.look()
    assert first == NextChild(0, 1, D(3), D(101), TimeInForce.DAY)
    desk.send(NextChild(0, 1, D(3), D(101), TimeInForce.DAY))
    desk.now += 60 * SECOND
    assert desk.look() == Wait(NOON + 600 * SECOND, "it rests")


def test_enough_is_kept_back_that_the_last_part_is_taken() -> None:
    least = replace(TERMS, min_quantity=D(2))
    sent = Desk(PLAN, progress(PLAN, terms=least)).work(step=SECOND)
    assert [move.quantity for move in sent] == [D(3), D(3), D(2), D(2)]


def test_parts_that_end_without_a_trade_are_not_sent_for_ever() -> None:
    gone = [child(slice_index=n, state=OrderState.EXPIRED) for n in range(MOST_FRUITLESS)]
    desk = Desk(PLAN, progress(PLAN, children=tuple(gone)), now=NOON + 60 * SECOND)
    assert desk.look() == Done(Ending.DECLINED, D(10))
    desk.change(desk.progress.children[-1], filled_quantity=D("0.5"))
    assert isinstance(desk.look(), NextChild)
