"""Orders go only to venues on the allow-list; an empty list means none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    Situation,
)


def test_an_allowed_venue_passes() -> None:
    assert Situation().objection("venue_allowed") is None


def test_another_venue_is_refused() -> None:
    assert Situation().asking(venue="kraken").codes() == {"venue_not_allowed"}


def test_an_empty_list_means_none() -> None:
    assert Situation().codes(tighten(HARD_LIMITS, {"allowed_venues": []})) == {"venue_not_allowed"}


def test_the_refusal_names_what_is_allowed() -> None:
    said = Situation().asking(venue="kraken").objection("venue_allowed")
    assert said is not None
    assert (said.limit, said.attempted, said.fix) == ("paper", "kraken", "use one of: paper")
    none = Situation().objection("venue_allowed", tighten(HARD_LIMITS, {"allowed_venues": []}))
    assert none is not None
    assert none.limit == "none"


@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True))
def test_only_listed_names_pass(venue: str) -> None:
    is_listed = venue in HARD_LIMITS.allowed_venues
    assert (Situation().asking(venue=venue).codes() == set()) is is_listed
