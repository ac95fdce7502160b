"""Messages for one account, venue and instrument are limited in number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    Situation,
    book,
    proposal,
    sealed,
)


def pressed(*, in_minute: int, in_hour: int = 0, **changes: Any) -> Situation:
    changes = {"proposer": "agent"} | changes
    ages = [30 + n / 100 for n in range(in_minute)] + [1000 + n / 100 for n in range(in_hour)]
    told = [proposal(age, **changes) for age in sorted(ages, reverse=True)]
    return Situation(book=book(proposals=told))


def crowded(*, in_minute: int, in_hour: int = 0, **changes: Any) -> Situation:
    """Return others' orders, sealed in the last minute and before it."""
    ages = [1000 + n / 100 for n in range(in_hour)] + [30 + n / 100 for n in range(in_minute)]
    told = [sealed(n, 0, hours_ago=age / 3600, **changes) for n, age in enumerate(ages)]
    return Situation(book=book(sealed_before=told))


def test_the_last_proposal_that_is_allowed_passes() -> None:
    assert pressed(in_minute=HARD_LIMITS.max_messages_per_minute - 1).objection("message_rate") is None
    assert (
        pressed(in_minute=0, in_hour=HARD_LIMITS.max_messages_per_hour - 1).objection("message_rate") is None
    )
    assert pressed(in_minute=500, instrument="GLD").objection("message_rate") is None
    assert crowded(in_minute=HARD_LIMITS.max_messages_per_minute - 1).objection("message_rate") is None
    assert (
        crowded(in_minute=0, in_hour=HARD_LIMITS.max_messages_per_hour - 1).objection("message_rate") is None
    )


def test_what_others_only_ask_for_stops_nobody() -> None:
    assert pressed(in_minute=500, in_hour=500, proposer="another").objection("message_rate") is None


@pytest.mark.parametrize(
    "elsewhere", [{"account": "second"}, {"venue": "elsewhere"}, {"instrument": "GLD"}, {"is_rejected": True}]
)
def test_sealed_orders_of_elsewhere_and_those_never_sent_are_no_messages(elsewhere: dict[str, Any]) -> None:
    assert crowded(in_minute=30, in_hour=100, **elsewhere).objection("message_rate") is None


def test_one_more_sealed_order_in_a_minute_or_an_hour_is_refused() -> None:
    assert crowded(in_minute=HARD_LIMITS.max_messages_per_minute).objection("message_rate") is not None
    full = crowded(in_minute=0, in_hour=HARD_LIMITS.max_messages_per_hour)
    assert full.objection("message_rate") is not None


def test_what_was_proposed_and_sealed_is_one_message() -> None:
    told = [proposal(50 - n, proposer="agent") for n in range(HARD_LIMITS.max_messages_per_minute - 1)]
    orders = [sealed(0, 0, hours_ago=0.01)._replace(decision_id=item.decision_id) for item in told]
    assert Situation(book=book(proposals=told, sealed_before=orders)).objection("message_rate") is None
    orders.append(sealed(1, 0, hours_ago=0.01))
    assert Situation(book=book(proposals=told, sealed_before=orders)).objection("message_rate") is not None


def test_one_more_in_a_minute_or_an_hour_is_refused() -> None:
    said = pressed(in_minute=HARD_LIMITS.max_messages_per_minute).objection("message_rate")
    assert said is not None
    assert (said.code, said.overage, said.unit) == ("message_rate_exceeded", "1", "messages in a minute")
    said = pressed(in_minute=0, in_hour=HARD_LIMITS.max_messages_per_hour).objection("message_rate")
    assert said is not None
    assert (said.code, said.overage, said.unit) == ("message_rate_exceeded", "1", "messages in a hour")


def test_the_refusal_counts_this_proposal_too() -> None:
    said = pressed(in_minute=30).objection("message_rate")
    assert said is not None
    assert said.attempted == "31"
    assert int(said.overage) == 31 - int(said.limit)


def test_refused_proposals_count_as_messages() -> None:
    full = pressed(in_minute=HARD_LIMITS.max_messages_per_minute)
    full.book.refused.update(item.decision_id for item in full.book.proposals)
    assert full.objection("message_rate") is not None


@pytest.mark.parametrize("told", [pressed, crowded])
@given(st.integers(0, 25), st.integers(0, 130), st.integers(0, 10), st.integers(0, 60))
def test_never_more_than_the_cap_in_a_window(
    told: Callable[..., Situation], in_minute: int, in_hour: int, minute: int, hour: int
) -> None:
    limits = tighten(HARD_LIMITS, {"max_messages_per_minute": minute, "max_messages_per_hour": hour})
    said = told(in_minute=in_minute, in_hour=in_hour).objection("message_rate", limits)
    is_fine = in_minute < minute and in_minute + in_hour < hour
    assert (said is None) is is_fine
