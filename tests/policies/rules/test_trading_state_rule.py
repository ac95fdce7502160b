"""A halted scope trades nothing; a reducing one only sells what is held."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from tests.strategies.situations import (
    Situation,
    book,
    other_decision,
    reservation,
)
from tests.strategies.spoilers import (
    sides,
    small_lots,
)
from when_to_invest.breakers import TradingState
from when_to_invest.intents import Side

SCOPES = ["system", "account:main", "venue:paper", "instrument:SPX"]


def stated(state: TradingState, scope: str = "system", **rest: Any) -> Situation:
    return Situation(book=book(trading_states={scope: state}, held={"SPX": 20}, **rest))


@pytest.mark.parametrize("scope", SCOPES)
def test_reducing_lets_a_covered_sell_pass(scope: str) -> None:
    assert stated(TradingState.REDUCING, scope).asking(side=Side.SELL).codes() == set()


def test_another_scope_does_not_concern_the_order() -> None:
    assert stated(TradingState.HALTED, "instrument:GLD").codes() == set()


@pytest.mark.parametrize("scope", SCOPES)
def test_reducing_refuses_what_adds(scope: str) -> None:
    assert stated(TradingState.REDUCING, scope).codes() == {"only_reducing"}
    promised = {other_decision(1): reservation(15, side=Side.SELL)}
    selling = stated(TradingState.REDUCING, scope, reserved=promised).asking(side=Side.SELL)
    assert "only_reducing" in selling.codes()


@pytest.mark.parametrize("scope", SCOPES)
@given(side=sides, quantity=small_lots)
def test_halted_refuses_every_order(scope: str, side: Side, quantity: Decimal) -> None:
    said = stated(TradingState.HALTED, scope).asking(side=side, quantity=quantity).codes()
    assert "trading_halted" in said
