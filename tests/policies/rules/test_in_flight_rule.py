"""What waits for the executor at a venue is limited, whoever asked for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.gate import judge
from policies.limits import HARD_LIMITS, Limits, tighten
from tests.strategies.situations import DECISION, Situation, book, other_decision, reservation
from tests.strategies.spoilers import known_marks, small_lots
from when_to_invest.errors import Fault
from when_to_invest.orders import OrderState
from when_to_invest.verdicts import Approved, Refused

FEW: Limits = tighten(HARD_LIMITS, {"max_in_flight_orders": 3})


def waiting(count: int, *, taken_up: int = 0, **changes: Any) -> Situation:
    """Return a venue for which `count` orders are sealed, `taken_up` of them sent."""
    owners = [other_decision(number) for number in range(1, count + 1)]
    made = book(
        reserved={owner: reservation("0.01", "1", **changes) for owner in owners},
        orders_of={owner: [f"o-{owner}"] for owner in owners[:taken_up]},
        order_states={f"o-{owner}": OrderState.ACKNOWLEDGED for owner in owners[:taken_up]},
    )
    return Situation(book=made, marks=known_marks)


def codes(situation: Situation, limits: Limits = FEW) -> set[str]:
    verdict = judge(situation.intent, situation.facts, limits)
    return set() if isinstance(verdict, Approved) else {reason.code for reason in verdict.reasons}


def test_up_to_the_ceiling_what_waits_does_not_matter() -> None:
    assert "too_many_in_flight" not in codes(waiting(2))


def test_one_more_is_refused_with_what_would_pass() -> None:
    situation = waiting(4)
    verdict = judge(situation.intent, situation.facts, FEW)
    assert isinstance(verdict, Refused)
    said = next(reason for reason in verdict.reasons if reason.code == "too_many_in_flight")
    assert (said.limit, said.attempted, said.overage) == ("3", "5", "2")
    assert said.unit == "sealed orders in the queue"
    assert "taken up 2 of the orders" in said.fix


def test_what_was_taken_up_and_what_waits_elsewhere_does_not_count() -> None:
    assert "too_many_in_flight" not in codes(waiting(5, taken_up=3))
    assert "too_many_in_flight" not in codes(waiting(5, venue="another"))


def test_an_order_that_never_arrived_leaves_its_decision_waiting() -> None:
    situation = waiting(5, taken_up=3)
    for owner in [*situation.book.orders_of][:2]:
        situation.book.order_states[f"o-{owner}"] = OrderState.ABSENT
    assert situation.facts.queued_at_venue == 4
    assert "too_many_in_flight" in codes(situation)


def test_one_order_that_arrived_is_enough_to_be_taken_up() -> None:
    situation = waiting(5, taken_up=1)
    (owner,) = situation.book.orders_of
    situation.book.orders_of[owner] = ["o-never", f"o-{owner}"]
    situation.book.order_states["o-never"] = OrderState.ABSENT
    assert situation.facts.queued_at_venue == 4


def test_the_executors_judgement_leaves_the_decision_itself_out() -> None:
    situation = waiting(2)
    situation.book.reservations[DECISION] = reservation("0.01", "1")
    assert situation.facts.queued_at_venue == 2
    assert "too_many_in_flight" not in codes(situation)


@given(st.integers(0, 12), st.integers(0, 12), small_lots)
def test_it_refuses_exactly_from_the_ceiling_on(count: int, ceiling: int, quantity: Decimal) -> None:
    limits = tighten(HARD_LIMITS, {"max_in_flight_orders": ceiling})
    said = codes(waiting(count).asking(quantity=quantity), limits)
    assert ("too_many_in_flight" in said) is (count + 1 > ceiling)


@pytest.mark.parametrize("setting", [51, -1, "many", 1.5, True])
def test_configuration_only_lowers_the_ceiling(setting: object) -> None:
    with pytest.raises(Fault) as caught:
        tighten(HARD_LIMITS, {"max_in_flight_orders": setting})  # type: ignore[dict-item]
    assert "max_in_flight_orders" in caught.value.message
