"""One order's quantity is capped."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import (
    D,
    Situation,
    price,
)


def cheap(quantity: str | Decimal) -> Situation:
    """Return an order of something so cheap that only the quantity counts."""
    return Situation(reference=price("0.01")).asking(quantity=D(quantity), limit_price_usd=D("0.01"))


def test_a_quantity_at_the_cap_passes() -> None:
    assert cheap(HARD_LIMITS.max_order_quantity).codes() == set()


def test_a_quantity_above_it_is_refused() -> None:
    said = cheap("100000.01").objection("order_quantity")
    assert said is not None
    assert (said.code, said.overage, said.unit) == ("order_quantity_exceeded", "0.01", "base units")
    assert said.fix == "at most 100000 of SPX at this price"


@given(st.integers(1, 10**7).map(lambda n: D(n) / 100), st.integers(1, 10**7).map(lambda n: D(n) / 100))
def test_nothing_above_a_tightened_cap_passes(quantity: Decimal, cap: Decimal) -> None:
    limits = tighten(HARD_LIMITS, {"max_order_quantity": str(cap)})
    assert (cheap(quantity).objection("order_quantity", limits) is None) is (quantity <= cap)


def test_what_would_pass_is_named_in_whole_lots() -> None:
    limits = tighten(HARD_LIMITS, {"max_order_quantity": "10.009"})
    said = cheap("11").objection("order_quantity", limits)
    assert said is not None
    assert said.fix == "at most 10 of SPX at this price"
