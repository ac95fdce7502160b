"""How much a loss breaker sells: never what is promised, waits for people, or was sold for it already."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS
from policies.losses import loss_doubt, loss_trip, loss_why
from policies.unwinding import due_quantity
from tests.when_to_invest.samples import NOW, Story, order_intent
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.holdings import Position
from when_to_invest.intents import Side
from when_to_invest.market import ReferencePrice
from when_to_invest.orders import OrderStep
from when_to_invest.portfolio import AccountBook, fold
from when_to_invest.values import Mode
from when_to_invest.wealth import AccountWorth

ALL, HALF = Decimal(1), Decimal("0.5")


def book_of(*, held: int, promised: int) -> AccountBook:
    bought = Story(order_intent(quantity=Decimal(held)))
    sale = Story(order_intent(side=Side.SELL, quantity=Decimal(promised)), n=2)
    funded = ev.AccountFunded(at=NOW, mode=Mode.REPLAY, account="main", cash_usd=Decimal(1_000_000))
    filled = [*bought.until_sealed(), bought.sending(), bought.moved(OrderStep.ACKNOWLEDGED), bought.filled()]
    return fold([funded, *filled, *sale.until_sealed()])


@pytest.mark.parametrize(
    ("share", "sold", "opened", "waiting", "due"),
    [
        (ALL, 0, 0, 0, 70),
        (ALL, 0, 0, 50, 20),
        (ALL, 40, 0, 70, 0),
        (HALF, 0, 0, 0, 50),
        (HALF, 0, 0, 30, 20),
        (HALF, 0, 30, 0, 20),
        (HALF, 100, 0, 0, 0),
        (HALF, 60, 0, 0, 20),
    ],
)
def test_what_is_due_of_a_hundred_with_thirty_promised(
    share: Decimal, sold: int, opened: int, waiting: int, due: int
) -> None:
    said = due_quantity(
        order_intent(side=Side.SELL),
        book=book_of(held=100, promised=30),
        share=share,
        sold=Decimal(sold),
        opened=Decimal(opened),
        waiting=Decimal(waiting),
    )
    assert said == due


amounts = st.decimals(1, 1_000_000, places=2)


@given(start=amounts, peak=amounts, now_usd=amounts, daily=st.integers(0, 300), deep=st.integers(0, 1_000))
def test_a_loss_shows_exactly_where_the_worth_fell_by_more_than_a_limit(
    start: Decimal, peak: Decimal, now_usd: Decimal, daily: int, deep: int
) -> None:
    limits = HARD_LIMITS.model_copy(
        update={"max_daily_loss_bps": Decimal(daily), "max_drawdown_bps": Decimal(deep)}
    )
    book = holding(start_usd=start, peak_usd=max(start, peak))
    price = ReferencePrice(price_usd=now_usd, known_at=NOW, source="tests")
    doubt = loss_doubt("main", book=book, prices={"SPX": price}, limits=limits, now=NOW)
    falls = ((start, daily), (max(start, peak), deep))
    assert (doubt is None) == any(
        Fraction(before) - Fraction(now_usd) > Fraction(before) * bps / 10_000 for before, bps in falls
    )


def holding(*, start_usd: Decimal, peak_usd: Decimal) -> AccountBook:
    """Return an account without cash that holds one SPX."""
    book = AccountBook()
    book.cash_usd["main"] = Decimal(0)
    book.positions["main", "SPX"] = Position(quantity=Decimal(1))
    book.wealth.accounts["main"] = AccountWorth(start_usd, start_usd, peak_usd, marked_at=NOW)
    return book


@pytest.mark.parametrize("prices", [{}, {"SPX": ReferencePrice(Decimal("NaN"), NOW, "tests")}])
def test_without_a_price_no_loss_shows(prices: dict[str, ReferencePrice]) -> None:
    book = holding(start_usd=Decimal(9), peak_usd=Decimal(9))
    doubt = loss_doubt("main", book=book, prices=prices, limits=HARD_LIMITS, now=NOW)
    assert doubt is not None
    assert "not known" in doubt


@pytest.mark.parametrize(
    ("changes", "is_trip"),
    [
        ({}, True),
        ({"by": "alice"}, False),
        ({"why": "order w1 is in quarantine"}, False),
        ({"latch_id": "h-" + "0" * 16}, False),
        ({"scope": "account:another"}, False),
    ],
)
def test_only_the_executors_own_loss_breaker_is_a_trip(changes: dict[str, str], is_trip: bool) -> None:  # noqa: FBT001
    told = {
        "by": "executor",
        "why": loss_why(cap_bps=Decimal(500), since="its peak"),
        "scope": "account:main",
    }
    event = ev.TradingStateChanged(at=NOW, mode=Mode.REPLAY, state=TradingState.REDUCING, **told | changes)
    trip = loss_trip(fold([event]).standing, account="main")
    assert (trip is not None) is is_trip
    assert trip is None or trip.event_digest == event.digest()
