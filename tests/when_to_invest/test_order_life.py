"""The order's life: the table allows what venues do, and nothing else."""

from __future__ import annotations

import itertools

import pytest

from tests.when_to_invest.samples import shortest_way
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.orders import ORDER_LIFE, TERMINAL, UNRESOLVED, OrderState, OrderStep, next_state

EVERY_PAIR = list(itertools.product(OrderState, OrderStep))


def test_every_state_has_a_row() -> None:
    assert set(ORDER_LIFE) == set(OrderState)


@pytest.mark.parametrize("state", list(OrderState))
def test_every_state_can_be_reached_from_new(state: OrderState) -> None:
    here = OrderState.NEW
    for step in shortest_way(state):
        here = next_state(here, step)
    assert here is state


@pytest.mark.parametrize(
    ("state", "step"), [pair for pair in EVERY_PAIR if pair[1] not in ORDER_LIFE[pair[0]]]
)
def test_what_the_table_does_not_list_is_illegal(state: OrderState, step: OrderStep) -> None:
    with pytest.raises(Fault) as refused:
        next_state(state, step)
    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION


def test_an_order_is_sent_at_most_once() -> None:
    senders = [state for state in OrderState if OrderStep.SEND_INTENDED in ORDER_LIFE[state]]
    assert senders == [OrderState.NEW]


@pytest.mark.parametrize("state", [OrderState.FILLED, OrderState.REJECTED, OrderState.ABSENT])
def test_nothing_follows_a_settled_end(state: OrderState) -> None:
    assert not ORDER_LIFE[state]


@pytest.mark.parametrize("state", [OrderState.CANCELLED, OrderState.EXPIRED])
def test_after_a_cancel_or_expiry_only_a_late_fill_is_believed(state: OrderState) -> None:
    assert set(ORDER_LIFE[state]) == {OrderStep.PARTLY_FILLED, OrderStep.FILLED}


def test_absence_is_proven_only_from_the_unknown() -> None:
    assert [s for s in OrderState if OrderStep.PROVEN_ABSENT in ORDER_LIFE[s]] == [OrderState.UNKNOWN]


def test_what_recovery_must_resolve_is_not_an_end() -> None:
    assert not UNRESOLVED & TERMINAL
    assert OrderState.QUARANTINED not in TERMINAL
