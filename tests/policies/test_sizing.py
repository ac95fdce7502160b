"""What would pass is said in whole lots, rounded down, and never promised blindly."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policies.shrinking import can_only_shrink
from policies.sizing import fits_quantity, fits_usd
from tests.strategies.situations import D, Situation, order, spx
from when_to_invest.intents import Side

UNKNOWN = "ask again when instrument and reference price are known"


@pytest.mark.parametrize(
    ("room_usd", "price_usd", "said"),
    [
        ("100.99", "100", "at most 1 of SPX at this price"),
        ("50", "100", "at most 0.5 of SPX at this price"),
        ("25", "100", "no buy of SPX fits now"),
        ("0", "100", "no buy of SPX fits now"),
        ("-500", "100", "no buy of SPX fits now"),
    ],
)
def test_room_is_filled_with_whole_lots(room_usd: str, price_usd: str, said: str) -> None:
    facts = Situation(instrument=spx(lot_size=D("0.5"))).facts
    assert fits_usd(order(), facts, room_usd=D(room_usd), price_usd=D(price_usd)) == said


def test_debts_leave_no_room_for_even_the_cheapest_lot() -> None:
    facts = Situation(instrument=spx(lot_size=D("0.01"))).facts
    said = fits_usd(order(), facts, room_usd=D(-500), price_usd=D("0.01"))
    assert said == "no buy of SPX fits now"


def test_an_order_of_nothing_shrinks_nothing() -> None:
    situation = Situation().knowing(held={"SPX": 10}).asking(side=Side.SELL)
    nothing = situation.intent.model_copy(update={"quantity": D(0)})
    assert not can_only_shrink(nothing, situation.facts)


@pytest.mark.parametrize("price_usd", [None, D(0)])
def test_without_a_price_nothing_is_promised(price_usd: Decimal | None) -> None:
    assert fits_usd(order(), Situation().facts, room_usd=D(100), price_usd=price_usd) == UNKNOWN


def test_without_a_lot_size_nothing_is_promised() -> None:
    facts = Situation(instrument=None).facts
    assert fits_usd(order(), facts, room_usd=D(100), price_usd=D(100)) == UNKNOWN


def test_less_than_one_unit_is_something() -> None:
    assert fits_quantity(order(), D("0.5")) == "at most 0.5 of SPX at this price"
    assert fits_quantity(order(side=Side.SELL), D(0)) == "no sell of SPX fits now"


@pytest.mark.parametrize(
    ("side", "quantity", "can_shrink"),
    [
        (Side.SELL, "10", True),
        (Side.SELL, "0.5", True),
        (Side.SELL, "10.01", False),
        (Side.BUY, "0.01", False),
    ],
)
def test_only_a_covered_sell_can_only_shrink(side: Side, quantity: str, can_shrink: bool) -> None:  # noqa: FBT001 - a column of the table
    situation = Situation().knowing(held={"SPX": 10}).asking(side=side, quantity=D(quantity))
    assert can_only_shrink(situation.intent, situation.facts) is can_shrink
