"""The process's own catalogue must know the instrument as tradable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS
from tests.strategies.situations import (
    Situation,
    spx,
)


def test_a_tradable_instrument_passes() -> None:
    assert Situation(instrument=spx(is_tradable=True)).codes() == set()


def test_one_for_analysis_only_is_refused() -> None:
    assert Situation(instrument=spx(is_tradable=False)).codes() == {"not_tradable"}


def test_an_unknown_one_is_refused() -> None:
    said = Situation(instrument=None).objection("instrument_known")
    assert said is not None
    assert said.code == "missing_fact"


@given(st.sampled_from(sorted(HARD_LIMITS.allowed_instruments)))
def test_only_its_own_entry_in_the_catalogue_counts(name: str) -> None:
    assert ("missing_fact" in Situation(instrument=spx(id=name)).codes()) is (name != "SPX")
