"""While an order's outcome is unknown, its instrument may only shrink."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS
from policies.rules import unresolved_orders
from tests.strategies.situations import (
    Situation,
    book,
    other_decision,
    reservation,
)
from tests.strategies.spoilers import (
    known_marks,
    small_lots,
)
from when_to_invest.intents import Side
from when_to_invest.orders import OrderState

ONE = other_decision(1)


def lost(state: OrderState, instrument: str = "SPX") -> Situation:
    made = book(
        held={"SPX": 20},
        reserved={ONE: reservation(1, 99, instrument=instrument)},
        orders_of={ONE: ["o-1"]},
        order_states={"o-1": state},
    )
    return Situation(book=made, marks=known_marks)


def test_resolved_orders_other_instruments_and_covered_sells_pass() -> None:
    assert lost(OrderState.ACKNOWLEDGED).codes() == set()
    assert lost(OrderState.UNKNOWN, "GLD").codes() == set()
    assert lost(OrderState.UNKNOWN).asking(side=Side.SELL).codes() == set()


@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.QUARANTINED])
def test_a_buy_beside_a_lost_order_is_refused(state: OrderState) -> None:
    said = lost(state).objection("unresolved_orders")
    assert said is not None
    assert (said.limit, said.attempted, said.overage) == ("0", "1", "1")


def test_how_many_are_too_many_is_told() -> None:
    situation = lost(OrderState.UNKNOWN)
    facts = situation.facts.model_copy(update={"unresolved_orders": 5})
    limits = HARD_LIMITS.model_copy(update={"max_unresolved_orders": 2})
    said = unresolved_orders.RULE.check(situation.intent, facts, limits)
    assert said is not None
    assert (said.limit, said.attempted, said.overage) == ("2", "5", "3")


@given(st.sampled_from(OrderState), small_lots)
def test_no_buy_passes_while_the_outcome_is_unknown(state: OrderState, quantity: Decimal) -> None:
    is_lost = state in {OrderState.UNKNOWN, OrderState.QUARANTINED}
    said = lost(state).asking(quantity=quantity).codes()
    assert ("unresolved_orders" in said) is is_lost
