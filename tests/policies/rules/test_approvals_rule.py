"""Large orders wait for people's signatures; two above the second threshold."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.gate import judge
from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    D,
    Situation,
    order,
)
from tests.strategies.spoilers import (
    round_lots,
)
from when_to_invest.verdicts import Approved, Held


def large(quantity: str | Decimal, *names: str) -> Situation:
    return Situation(approvers=frozenset(names)).asking(quantity=D(quantity))


def test_an_order_at_the_threshold_needs_nobody() -> None:
    assert isinstance(large("100").verdict(), Approved)


@pytest.mark.parametrize(
    ("quantity", "names"), [("100.01", ["alice"]), ("200", ["bob"]), ("250", ["alice", "bob"])]
)
def test_enough_signatures_lift_the_hold(quantity: str, names: list[str]) -> None:
    verdict = large(quantity, *names).verdict()
    assert isinstance(verdict, Approved)
    assert verdict.approvers == tuple(names)


@pytest.mark.parametrize(
    ("quantity", "names", "needed"),
    [
        ("100.01", [], 1),
        ("100.01", ["agent"], 1),
        ("100.01", ["a-gent", "age_nt", "agent-"], 1),
        ("200.01", [], 2),
        ("200.01", ["alice", "a_gent"], 2),
        ("200.01", ["alice"], 2),
        ("200.01", ["alice", "agent"], 2),
    ],
)
def test_too_few_or_the_proposers_own_hold_it(quantity: str, names: list[str], needed: int) -> None:
    verdict = large(quantity, *names).verdict()
    assert isinstance(verdict, Held)
    assert verdict.approvals_needed == needed
    assert [reason.code for reason in verdict.reasons] == ["approval_needed"]


def test_the_hold_says_by_how_much_and_how_many_are_still_to_sign() -> None:
    said = large("230", "alice").objection("approvals")
    assert said is not None
    assert (said.limit, said.attempted, said.overage, said.unit) == ("20000", "23000", "3000", "USD")
    assert said.fix == "1 more signature(s) by people other than agent"


def test_facts_that_name_the_proposer_do_not_help() -> None:
    facts = Situation().facts.model_copy(update={"approvers": ("agent", "agent", "agent")})
    forged = facts.model_copy(update={"notional_usd": D(15_000)})
    alike = forged.model_copy(update={"approvers": ("a-gent", "agent_")})
    assert isinstance(judge(order(), alike, HARD_LIMITS), Held)
    assert isinstance(judge(order(), forged, HARD_LIMITS), Held)


@given(round_lots, st.frozensets(st.sampled_from(["alice", "bob", "carol", "agent"])), st.integers(0, 10_000))
def test_nothing_above_a_threshold_passes_unsigned(
    quantity: Decimal, names: frozenset[str], threshold_usd: int
) -> None:
    limits = tighten(HARD_LIMITS, {"approval_notional_usd": str(threshold_usd)})
    needed = 2 if quantity > 200 else 1 if quantity * 100 > threshold_usd else 0
    verdict = large(quantity, *names).verdict(limits)
    assert isinstance(verdict, Approved) is (len(names - {"agent"}) >= needed and quantity <= 250)
