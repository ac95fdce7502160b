"""Only instruments on the allow-list, and on no deny-list, may be traded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    Situation,
    spx,
)


def asking(name: str) -> Situation:
    return Situation().asking(instrument=name).but(instrument=spx(id=name))


@pytest.mark.parametrize("name", sorted(HARD_LIMITS.allowed_instruments))
def test_a_listed_instrument_passes(name: str) -> None:
    assert asking(name).codes() == set()


def test_an_unlisted_and_a_denied_instrument_are_refused() -> None:
    assert asking("DOGE").codes() == {"instrument_not_allowed"}
    assert asking("GLD").codes(tighten(HARD_LIMITS, {"denied_instruments": ["GLD"]})) == {"instrument_denied"}


def test_an_empty_list_means_none() -> None:
    assert asking("SPX").codes(tighten(HARD_LIMITS, {"allowed_instruments": []})) == {
        "instrument_not_allowed"
    }


def test_the_refusal_names_what_is_allowed() -> None:
    said = asking("DOGE").objection(
        "instrument_allowed", tighten(HARD_LIMITS, {"allowed_instruments": ["SPX", "GLD"]})
    )
    assert said is not None
    assert (said.limit, said.fix) == ("GLD, SPX", "choose one of: GLD, SPX")
    none = asking("DOGE").objection("instrument_allowed", tighten(HARD_LIMITS, {"allowed_instruments": []}))
    assert none is not None
    assert none.limit == "none"


@given(st.from_regex(r"[A-Z0-9][A-Z0-9._/-]{0,23}", fullmatch=True), st.booleans())
def test_only_listed_ids_that_nobody_denied_pass(name: str, is_denied: bool) -> None:  # noqa: FBT001 - drawn
    limits = tighten(HARD_LIMITS, {"denied_instruments": [name] if is_denied else []})
    is_fine = name in HARD_LIMITS.allowed_instruments and not is_denied
    assert (asking(name).codes(limits) == set()) is is_fine
