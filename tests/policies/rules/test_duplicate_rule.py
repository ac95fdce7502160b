"""The same proposer does not ask for the same thing twice in a short while."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policies.gate import judge
from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    D,
    Situation,
    book,
    order,
    proposal,
)
from when_to_invest.verdicts import Refused

EQUAL: dict[str, Any] = {"proposer": "agent", "quantity": D(10)}


def repeated(seconds_ago: float, *, is_refused: bool = False) -> Situation:
    first = proposal(seconds_ago, **EQUAL)
    return Situation(book=book(proposals=[first], refused={first.decision_id} if is_refused else set()))


def test_repeating_it_later_or_after_a_refusal_passes() -> None:
    assert repeated(HARD_LIMITS.duplicate_window_s).codes() == set()
    assert repeated(1, is_refused=True).codes() == set()


def test_repeating_it_at_once_is_refused() -> None:
    said = repeated(100).objection("duplicate")
    assert said is not None
    assert (said.code, said.limit, said.attempted, said.overage) == ("duplicate_intent", "300", "100", "200")
    assert said.fix == "look at the earlier decision; wait 200 s to repeat it"


def test_facts_without_a_time_of_proposal_are_refused() -> None:
    verdict = judge(order(), Situation().facts.model_copy(update={"proposed_at": None}), HARD_LIMITS)
    assert isinstance(verdict, Refused)


@given(st.integers(0, 86_399), st.integers(300, 86_400))
def test_nothing_is_repeated_within_the_window(seconds_ago: int, window_s: int) -> None:
    limits = tighten(HARD_LIMITS, {"duplicate_window_s": window_s})
    assert (repeated(seconds_ago).codes(limits) == set()) is (seconds_ago >= window_s)
