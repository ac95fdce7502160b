"""A price that is too old, or from the future, is no price."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    Situation,
    price,
)


def test_a_price_at_the_edge_passes() -> None:
    assert Situation(reference=price(age_s=HARD_LIMITS.max_reference_age_s)).codes() == set()
    assert Situation(reference=price(age_s=-HARD_LIMITS.max_clock_skew_s)).codes() == set()


def test_an_old_and_an_early_price_are_refused() -> None:
    old = Situation(reference=price(age_s=HARD_LIMITS.max_reference_age_s + 60)).objection("reference_age")
    assert old is not None
    assert (old.code, old.limit, old.attempted, old.overage) == ("stale_reference", "432000", "432060", "60")
    early = Situation(reference=price(age_s=-6)).objection("reference_age")
    assert early is not None
    assert (early.code, early.attempted, early.overage) == ("reference_from_future", "6", "1")
    assert early.unit == "s ahead"


@given(st.integers(-10, 600_000), st.integers(0, 432_000))
def test_what_passes_is_younger_than_the_limit(age_s: int, limit_s: int) -> None:
    limits = tighten(HARD_LIMITS, {"max_reference_age_s": limit_s})
    is_fine = -HARD_LIMITS.max_clock_skew_s <= age_s <= limit_s
    assert (Situation(reference=price(age_s=age_s)).codes(limits) == set()) is is_fine
