"""An old idea, one stamped in the future, or one whose recommendation expired is void."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from policies.gate import judge
from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    NOW,
    Situation,
    order,
)
from when_to_invest.verdicts import Refused


def aged(seconds: float) -> Situation:
    return Situation().asking(proposed_at=NOW - timedelta(seconds=seconds))


def test_an_intent_at_the_edge_of_its_life_passes() -> None:
    assert aged(HARD_LIMITS.max_intent_age_s).codes() == set()
    assert aged(-HARD_LIMITS.max_clock_skew_s).codes() == set()
    assert Situation(recommendation_expires_at=NOW + timedelta(seconds=1)).codes() == set()


def test_an_old_an_early_and_an_expired_intent_are_refused() -> None:
    assert aged(HARD_LIMITS.max_intent_age_s + 1).codes() == {"intent_expired"}
    assert aged(-HARD_LIMITS.max_clock_skew_s - 1).codes() == {"intent_from_future"}
    assert Situation(recommendation_expires_at=NOW).codes() == {"recommendation_expired"}


def test_how_old_or_how_early_an_intent_is_stands_in_the_refusal() -> None:
    old, early = aged(HARD_LIMITS.max_intent_age_s + 7), aged(-HARD_LIMITS.max_clock_skew_s - 7)
    said = [situation.objection("intent_age") for situation in (old, early)]
    assert [(each.attempted, each.unit) for each in said if each is not None] == [
        (str(HARD_LIMITS.max_intent_age_s + 7), "s"),
        (str(HARD_LIMITS.max_clock_skew_s + 7), "s ahead"),
    ]


def test_a_stamp_without_a_time_zone_is_refused() -> None:
    naive = order().model_copy(update={"proposed_at": NOW.replace(tzinfo=None)})
    verdict = judge(naive, Situation().facts, HARD_LIMITS)
    assert isinstance(verdict, Refused)
    assert [(reason.rule, reason.code) for reason in verdict.reasons] == [("intent_age", "missing_fact")]


@given(st.integers(-10_000, 200_000), st.integers(0, 86_400))
def test_what_passes_is_younger_than_the_limit(age_s: int, limit_s: int) -> None:
    limits = tighten(HARD_LIMITS, {"max_intent_age_s": limit_s})
    is_fine = -HARD_LIMITS.max_clock_skew_s <= age_s <= limit_s
    assert (aged(age_s).codes(limits) == set()) is is_fine


def test_a_recommendation_of_which_nobody_knows_how_long_it_counts_refuses() -> None:
    cited = Situation().asking(recommendation_id="r-" + "1" * 24)
    assert cited.codes() == {"missing_fact"}
    assert cited.but(recommendation_expires_at=NOW + timedelta(seconds=1)).codes() == set()
