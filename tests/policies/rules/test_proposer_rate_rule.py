"""Proposals of one proposer are limited in number."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    Situation,
    book,
    proposal,
)


def pressed(*, in_minute: int, in_hour: int = 0, **changes: Any) -> Situation:
    ages = [30 + n / 100 for n in range(in_minute)] + [1000 + n / 100 for n in range(in_hour)]
    told = [
        proposal(age, **{"proposer": "agent", "instrument": "GLD"} | changes)
        for age in sorted(ages, reverse=True)
    ]
    return Situation(book=book(proposals=told))


def test_the_last_proposal_that_is_allowed_passes() -> None:
    assert (
        pressed(in_minute=HARD_LIMITS.max_proposer_messages_per_minute - 1).objection("proposer_rate") is None
    )
    assert (
        pressed(in_minute=0, in_hour=HARD_LIMITS.max_proposer_messages_per_hour - 1).objection(
            "proposer_rate"
        )
        is None
    )
    assert pressed(in_minute=500, proposer="another").objection("proposer_rate") is None


def test_one_more_in_a_minute_or_an_hour_is_refused() -> None:
    said = pressed(in_minute=HARD_LIMITS.max_proposer_messages_per_minute).objection("proposer_rate")
    assert said is not None
    assert (said.code, said.overage, said.unit) == ("proposer_rate_exceeded", "1", "proposals in a minute")
    said = pressed(in_minute=0, in_hour=HARD_LIMITS.max_proposer_messages_per_hour).objection("proposer_rate")
    assert said is not None
    assert (said.code, said.overage, said.unit) == ("proposer_rate_exceeded", "1", "proposals in a hour")


def test_the_refusal_counts_this_proposal_too() -> None:
    said = pressed(in_minute=30).objection("proposer_rate")
    assert said is not None
    assert said.attempted == "31"
    assert int(said.overage) == 31 - int(said.limit)


def test_refused_proposals_count_as_messages() -> None:
    full = pressed(in_minute=HARD_LIMITS.max_proposer_messages_per_minute)
    full.book.refused.update(item.decision_id for item in full.book.proposals)
    assert full.objection("proposer_rate") is not None


@given(st.integers(0, 25), st.integers(0, 130), st.integers(0, 10), st.integers(0, 60))
def test_never_more_than_the_cap_in_a_window(in_minute: int, in_hour: int, minute: int, hour: int) -> None:
    limits = tighten(
        HARD_LIMITS, {"max_proposer_messages_per_minute": minute, "max_proposer_messages_per_hour": hour}
    )
    said = pressed(in_minute=in_minute, in_hour=in_hour).objection("proposer_rate", limits)
    is_fine = in_minute < minute and in_minute + in_hour < hour
    assert (said is None) is is_fine
