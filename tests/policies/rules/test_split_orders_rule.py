"""Orders that together are large wait for the signatures that one large order would need."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.gate import judge
from policies.limits import HARD_LIMITS
from tests.strategies.situations import D, Situation, book, order, sealed
from when_to_invest.intents import Side
from when_to_invest.recent import SealedOrder
from when_to_invest.verdicts import Approved, Held


def after(*earlier: SealedOrder, quantity: str | Decimal = "40", signed: tuple[str, ...] = ()) -> Situation:
    known = book(sealed_before=earlier)
    return Situation(book=known, approvers=frozenset(signed)).asking(quantity=D(quantity))


def test_small_orders_that_stay_below_the_threshold_together_pass() -> None:
    assert isinstance(after(sealed(1, 30), sealed(2, 30)).verdict(), Approved)


def test_one_lot_more_is_held_for_one_signature_and_says_what_would_pass_without() -> None:
    situation = after(sealed(1, 30), sealed(2, 30), quantity="40.01")
    verdict = situation.verdict()
    assert isinstance(verdict, Held)
    assert verdict.approvals_needed == 1
    said = situation.objection("split_orders")
    assert said is not None
    assert (said.code, said.limit, said.attempted, said.overage) == (
        "split_approval_needed",
        "10000",
        "10001",
        "1",
    )
    assert said.fix == (
        "1 more signature(s) by people other than agent; without: at most 40 of SPX at this price"
    )
    assert isinstance(situation.but(approvers=frozenset({"alice"})).verdict(), Approved)


def test_facts_that_name_somebody_spelled_like_the_proposer_do_not_help() -> None:
    situation = after(sealed(1, 30), sealed(2, 30), quantity="40.01")
    facts = situation.facts.model_copy(update={"approvers": ("a-gent", "agent_")})
    assert isinstance(judge(order(quantity=D("40.01")), facts, HARD_LIMITS), Held)


def test_what_was_signed_is_not_signed_again() -> None:
    assert isinstance(after(sealed(1, 90, signatures=1)).verdict(), Approved)
    assert isinstance(after(sealed(1, 200, signatures=2), quantity="100").verdict(), Approved)


def test_three_parts_of_one_large_order_need_what_it_would_need() -> None:
    parts = (sealed(1, 80), sealed(2, 80, signatures=1))
    situation = after(*parts, quantity="80", signed=("alice",))
    verdict = situation.verdict()
    assert isinstance(verdict, Held)
    assert verdict.approvals_needed == 2
    said = situation.objection("split_orders")
    assert said is not None
    assert said.fix.startswith("1 more signature(s) by people")
    assert isinstance(after(*parts, quantity="80", signed=("alice", "bob")).verdict(), Approved)


def test_splitting_over_instruments_is_held_by_the_total() -> None:
    spread = [sealed(n, 90, instrument=name) for n, name in enumerate(("GLD", "TLT"))]
    said = after(*spread).objection("split_orders")
    assert said is not None
    assert (said.code, said.limit, said.attempted) == ("total_approval_needed", "20000", "22000")
    twice = [
        sealed(n, 95, instrument=name, signatures=1) for n, name in enumerate(("GLD", "TLT", "IEF", "LQD"))
    ]
    said = after(*twice, signed=("alice",)).objection("split_orders")
    assert said is not None
    assert (said.code, said.limit, said.attempted) == ("total_approval_needed", "40000", "42000")


@pytest.mark.parametrize(
    "other",
    [
        {"hours_ago": 24},
        {"side": Side.SELL},
        {"instrument": "GLD"},
        {"signatures": 1},
        {"quantity_open": D(0)},
    ],
)
def test_what_is_no_part_of_it_passes(other: dict[str, object]) -> None:
    assert isinstance(after(sealed(1, 90, **{"hours_ago": 1, **other})).verdict(), Approved)  # type: ignore[arg-type]


def test_what_has_traded_counts_and_what_ended_without_does_not() -> None:
    assert isinstance(after(sealed(1, 0, filled_usd=D(6_001))).verdict(), Held)
    assert isinstance(after(sealed(1, 0, filled_usd=D(6_000))).verdict(), Approved)


def test_a_single_large_order_is_left_to_the_approvals_rule() -> None:
    assert after(quantity="150").objection("split_orders") is None
    assert after(quantity="150").objection("approvals") is not None


def test_without_a_price_it_refuses_rather_than_holds() -> None:
    said = after(sealed(1, 90)).but(reference=None).objection("split_orders")
    assert said is not None
    assert said.code == "missing_fact"


def needed_for(usd: Decimal) -> int:
    """Return how many must sign one order of that size."""
    return 2 if usd > HARD_LIMITS.second_approval_notional_usd else usd > HARD_LIMITS.approval_notional_usd


@given(st.lists(st.integers(1, 240), min_size=2, max_size=8))
def test_however_it_is_split_the_last_part_needs_the_signatures_of_the_whole(parts: list[int]) -> None:
    told: list[SealedOrder] = []
    for n, part in enumerate(parts):
        names: tuple[str, ...] = ()
        for candidate in ((), ("alice",), ("alice", "bob")):
            verdict = after(*told, quantity=D(part), signed=candidate).verdict()
            names = candidate
            if isinstance(verdict, Approved):
                break
        told.append(sealed(n, part, signatures=len(names)))
    for fewer in (1, 2):
        below = sum((item.worth_usd for item in told if item.signatures < fewer), D(0))
        assert needed_for(below) < fewer


@given(st.integers(1, 99), st.integers(1, 99))
def test_ordinary_days_of_two_orders_are_not_held_more_than_their_sum_would_be(one: int, two: int) -> None:
    is_held = isinstance(after(sealed(1, one), quantity=D(two)).verdict(), Held)
    assert is_held == (one + two > 100)


@pytest.mark.parametrize(("signatures", "funds", "needed"), [(0, 2, 1), (1, 4, 2)])
def test_a_total_needs_one_person_and_then_two(signatures: int, funds: int, needed: int) -> None:
    names = ("GLD", "TLT", "IEF", "LQD")[:funds]
    told = [sealed(n, 95, instrument=name, signatures=signatures) for n, name in enumerate(names)]
    assert [reason.rule for reason in after(*told).reasons()] == ["split_orders"]
    verdict = after(*told).verdict()
    assert isinstance(verdict, Held)
    assert verdict.approvals_needed == needed
