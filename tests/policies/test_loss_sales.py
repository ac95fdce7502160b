"""How much a loss breaker sells: never what is promised, waits for people, or was sold for it already."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policies.losses import loss_trip, loss_why
from policies.unwinding import due_quantity
from tests.when_to_invest.samples import NOW, Story, order_intent
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.intents import Side
from when_to_invest.orders import OrderStep
from when_to_invest.portfolio import AccountBook, fold
from when_to_invest.values import Mode

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
