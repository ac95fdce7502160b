"""Implementation shortfall: its parts are the textbook's, and they leave nothing out."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from executor.quality.figures import Missing
from executor.quality.passages import Traded
from executor.quality.shortfall import Prices, shortfall
from tests.executor.quality.walks import NOW, D
from when_to_invest.intents import Side

NEARLY = D("1e-12")
PRICES = st.decimals("0.01", "1000", places=2)
TRADES = st.lists(st.tuples(st.integers(1, 50), PRICES, st.decimals("0", "5", places=2)), max_size=6)


def traded(quantity: str | int, price_usd: str | Decimal, fee_usd: str | Decimal | None = "0") -> Traded:
    return Traded(NOW, D(quantity), D(price_usd), None if fee_usd is None else D(fee_usd))


def test_a_purchase_as_the_cfa_curriculum_teaches_it() -> None:
    """1,000 shares are decided at 40.00; the day after the next, from 40.04, 700 are bought at 40.05 for
    a commission of 17, and the rest is given up at 40.08: published as 0.07, 0.02, 0.06 and 0.04 of a
    hundredth, 0.19 in all.
    """
    prices = Prices(D(40), D("40.04"), D("40.08"))
    found = shortfall(Side.BUY, quantity=D(1000), trades=[traded(700, "40.05", "17")], prices=prices)
    parts = (found.delay_usd, found.execution_usd, found.opportunity_usd, found.fees_usd)
    assert parts == (28, 7, 24, 17)
    assert found.total_bps == 19


def test_a_sale_as_the_cfa_curriculum_teaches_it() -> None:
    """5,000 shares are decided at 40.00; from 39.50, 4,000 are sold at 39.70 for 75, the rest is given up
    at 39.00: 2,000 of delay, 800 gained in execution, 1,000 missed.
    """
    prices = Prices(D(40), D("39.50"), D(39))
    found = shortfall(Side.SELL, quantity=D(5000), trades=[traded(4000, "39.70", "75")], prices=prices)
    parts = (found.delay_usd, found.execution_usd, found.opportunity_usd, found.fees_usd)
    assert parts == (2000, -800, 1000, 75)
    assert found.in_bps(found.delay_usd) == 100


@given(
    side=st.sampled_from(Side),
    trades=TRADES,
    rest=st.integers(0, 50),
    prices=st.tuples(PRICES, PRICES, PRICES),
)
def test_the_parts_are_what_paper_earned_and_reality_did_not(
    side: Side,
    trades: list[tuple[int, Decimal, Decimal]],
    rest: int,
    prices: tuple[Decimal, Decimal, Decimal],
) -> None:
    decided, arrival, final = prices
    done = [traded(*each) for each in trades]
    filled = sum(quantity for quantity, _, _ in trades)
    quantity = D(filled + rest + 1)
    found = shortfall(side, quantity=quantity, trades=done, prices=Prices(decided, arrival, final))
    paper = side.sign * quantity * (final - decided)
    real = sum((side.sign * q * (final - price) - fee for q, price, fee in trades), D(0))
    assert abs(cast("Decimal", found.total_usd) - (paper - real)) < NEARLY


def test_what_never_traded_costs_what_the_price_ran_away() -> None:
    found = shortfall(Side.SELL, quantity=D(10), trades=[], prices=Prices(D(100), D(99), D(90)))
    assert (found.delay_usd, found.execution_usd, found.opportunity_usd) == (0, 0, 100)


def test_what_traded_in_full_needs_no_price_at_the_end() -> None:
    unknown = Missing("it is not over")
    found = shortfall(
        Side.BUY, quantity=D(2), trades=[traded(2, "101", "1")], prices=Prices(D(100), D(100), unknown)
    )
    assert (found.opportunity_usd, found.total_usd) == (0, 3)


def test_a_part_that_nobody_knows_leaves_the_total_unknown() -> None:
    unknown = Missing("nobody noted it")
    found = shortfall(
        Side.BUY, quantity=D(2), trades=[traded(1, "101")], prices=Prices(D(100), unknown, unknown)
    )
    assert found.total_usd == unknown
    assert found.fees_usd == 0
    settled = shortfall(
        Side.BUY, quantity=D(1), trades=[traded(1, "101", None)], prices=Prices(D(100), D(100), D(100))
    )
    assert isinstance(settled.total_usd, Missing)
