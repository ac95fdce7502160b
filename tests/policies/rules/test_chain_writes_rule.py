"""No chain intent passes until chain rules exist."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policies.gate import judge
from policies.limits import HARD_LIMITS
from tests.strategies.situations import (
    NOW,
    D,
    Situation,
    order,
)
from tests.strategies.spoilers import (
    odd_amounts,
)
from when_to_invest.intents import ChainIntent
from when_to_invest.values import Mode
from when_to_invest.verdicts import Approved


def transfer(**changes: Any) -> ChainIntent:
    given: dict[str, Any] = {
        "mode": Mode.REPLAY,
        "account": "main",
        "chain_id": 31337,
        "token": None,
        "recipient": "0x" + "a1" * 20,
        "amount": D(1),
        "proposer": "agent",
        "request_id": "c-1",
        "proposed_at": NOW,
    }
    return ChainIntent(**given | changes)


def codes(intent: Any, *names: str) -> list[str]:
    facts = Situation(intent=intent, approvers=frozenset(names)).facts
    verdict = judge(intent, facts, HARD_LIMITS)
    return [] if isinstance(verdict, Approved) else [reason.code for reason in verdict.reasons]


def test_an_order_is_none_of_its_business() -> None:
    assert codes(order()) == []


def test_a_transfer_is_refused_with_a_reason_of_its_own() -> None:
    assert codes(transfer()) == ["chain_writes_not_enabled"]


def test_whoever_asks_is_not_among_those_who_signed() -> None:
    facts = Situation(intent=transfer(), approvers=frozenset({"agent", "bob", "alice"})).facts
    assert facts.approvers == ("alice", "bob")


@given(odd_amounts, st.integers(1, 2**63), st.frozensets(st.sampled_from(["alice", "bob", "carol"])))
def test_no_amount_chain_or_signature_changes_that(
    amount: Decimal, chain_id: int, names: frozenset[str]
) -> None:
    assert codes(transfer(amount=amount, chain_id=chain_id), *names) == ["chain_writes_not_enabled"]
