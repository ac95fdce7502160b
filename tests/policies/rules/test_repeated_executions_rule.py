"""The same idea is not executed again and again without people looking."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS
from tests.strategies.situations import DECISION, NOW, D, Situation, book, sealed
from when_to_invest.intents import Side

MOST = HARD_LIMITS.max_repeated_executions


def after(count: int, **changes: object) -> Situation:
    told = [sealed(n, "0.01", **{"hours_ago": 0.5, **changes}) for n in range(count)]  # type: ignore[arg-type]
    return Situation(book=book(sealed_before=told)).asking(quantity=D(1))


def test_repetitions_up_to_the_limit_pass() -> None:
    assert after(MOST - 1).objection("repeated_executions") is None


def test_one_more_is_refused_until_people_look() -> None:
    said = after(MOST).objection("repeated_executions")
    assert said is not None
    assert (said.code, said.limit, said.attempted, said.overage) == (
        "repeated_executions_exceeded",
        "20",
        "21",
        "1",
    )
    assert said.unit == "buy orders of SPX in an hour"


@pytest.mark.parametrize(
    "other", [{"hours_ago": 1}, {"side": Side.SELL}, {"instrument": "GLD"}, {"is_rejected": True}]
)
def test_what_is_no_repetition_passes(other: dict[str, object]) -> None:
    assert after(MOST, **other).objection("repeated_executions") is None


@pytest.mark.parametrize("scope", ["system", "instrument:SPX", "venue:paper", "account:main"])
def test_counting_starts_anew_once_people_have_resumed_it(scope: str) -> None:
    situation = after(MOST)
    situation.book.standing.resumed_at[scope] = NOW - timedelta(minutes=30)
    assert situation.objection("repeated_executions") is None
    situation.book.standing.resumed_at[scope] = NOW - timedelta(minutes=31)
    assert situation.objection("repeated_executions") is not None


def test_a_second_judgement_counts_only_what_was_sealed_before() -> None:
    own = sealed(0, 1, decision_id=DECISION)
    told = [sealed(n, "0.01", hours_ago=0.5) for n in range(1, MOST + 5)]
    situation = Situation(book=book(sealed_before=[*told[:3], own, *told[3:]]))
    assert situation.but(is_sealed=True).facts.repeated_last_hour == 3


def test_a_decision_that_is_to_be_sealed_anew_counts_all_that_was_sealed_meanwhile() -> None:
    own = sealed(0, 1, decision_id=DECISION)
    told = [sealed(n, "0.01", hours_ago=0.5) for n in range(1, MOST + 5)]
    situation = Situation(book=book(sealed_before=[own, *told]))
    assert situation.facts.repeated_last_hour == len(told)


@given(st.integers(0, 40), st.integers(0, MOST))
def test_no_more_than_the_limit_ever_pass_in_an_hour(count: int, most: int) -> None:
    from policies.limits import tighten

    limits = tighten(HARD_LIMITS, {"max_repeated_executions": most})
    assert (after(count).objection("repeated_executions", limits) is None) == (count < most)
