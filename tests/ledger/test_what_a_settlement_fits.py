"""A settlement fits one order, in one account and venue, as it stood when it was signed."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.fitting import fits
from tests.ledger.journals import drill
from tests.when_to_invest.samples import Story, chain_intent, motion, order_intent
from when_to_invest.breakers import TradingState
from when_to_invest.events import OrderSettled
from when_to_invest.history import DecisionRecord, decisions
from when_to_invest.holdings import ZERO
from when_to_invest.intents import Side
from when_to_invest.orders import OrderState
from when_to_invest.portfolio import AccountBook, fold

STORY = Story(order_intent())


def settled(told: int, **changes: Any) -> OrderSettled:
    signed = motion("Settle").model_copy(update={"serial": told})
    return STORY.settled(ZERO).model_copy(update={"motion": signed} | changes)


def halted(scope: str = "venue:paper") -> AccountBook:
    return fold([drill(1).model_copy(update={"scope": scope, "state": TradingState.HALTED})])


def known(state: OrderState = OrderState.ACKNOWLEDGED) -> dict[str, DecisionRecord]:
    return decisions(STORY.until(state))


def events(records: dict[str, DecisionRecord]) -> int:
    return len(records[STORY.decision_id].events)


def test_a_settlement_of_the_open_order_fits_where_trading_stopped() -> None:
    assert fits(settled(events(known())), book=halted(), decisions=known()) is True
    assert fits(settled(events(known())), book=AccountBook(), decisions=known()) is False
    assert fits(settled(events(known())), book=halted("venue:elsewhere"), decisions=known()) is False


@pytest.mark.parametrize(
    "changes",
    [
        {"account": "second"},
        {"venue": "elsewhere"},
        {"instrument": "IXIC"},
        {"side": Side.SELL},
        {"client_order_id": "o-9"},
        {"decision_id": "d-" + "9" * 24},
    ],
)
def test_a_settlement_about_something_else_fits_nothing(changes: dict[str, Any]) -> None:
    assert fits(settled(events(known()), **changes), book=halted(), decisions=known()) is False


@pytest.mark.parametrize("more", [-1, 1])
def test_a_settlement_signed_at_another_moment_fits_no_more(more: int) -> None:
    assert fits(settled(events(known()) + more), book=halted(), decisions=known()) is False


def test_an_order_that_is_over_is_not_settled() -> None:
    over = known(OrderState.FILLED)
    assert fits(settled(events(over)), book=halted(), decisions=over) is False


def test_a_transfer_is_no_order_to_settle() -> None:
    transfer = Story(chain_intent())
    records = decisions([transfer.proposed()])
    event = settled(1, decision_id=transfer.decision_id)
    assert fits(event, book=halted("system"), decisions=records) is False


def test_what_loosens_nothing_fits_any_state() -> None:
    assert fits(drill(1), book=AccountBook(), decisions={}) is True
