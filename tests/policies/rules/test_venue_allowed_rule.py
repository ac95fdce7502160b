"""Orders go only to venues on the allow-list; an empty list means none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    Situation,
)

NAMES = "binance, coinbase, kraken, paper"


def test_an_allowed_venue_passes() -> None:
    assert Situation().objection("venue_allowed") is None


@pytest.mark.parametrize("venue", ["binance", "coinbase", "kraken"])
def test_an_exchange_that_is_exercised_passes(venue: str) -> None:
    assert Situation().asking(venue=venue).objection("venue_allowed") is None


def test_another_venue_is_refused() -> None:
    assert Situation().asking(venue="bitfinex").codes() == {"venue_not_allowed"}


def test_an_empty_list_means_none() -> None:
    assert Situation().codes(tighten(HARD_LIMITS, {"allowed_venues": []})) == {"venue_not_allowed"}


def test_the_refusal_names_what_is_allowed() -> None:
    said = Situation().asking(venue="bitfinex").objection("venue_allowed")
    assert said is not None
    assert (said.limit, said.attempted, said.fix) == (NAMES, "bitfinex", f"use one of: {NAMES}")
    none = Situation().objection("venue_allowed", tighten(HARD_LIMITS, {"allowed_venues": []}))
    assert none is not None
    assert none.limit == "none"


@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True))
def test_only_listed_names_pass(venue: str) -> None:
    is_listed = venue in HARD_LIMITS.allowed_venues
    assert (Situation().asking(venue=venue).codes() == set()) is is_listed
