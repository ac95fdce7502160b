"""Orders are worth at least what the venue accepts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies.situations import (
    D,
    Situation,
    spx,
)


def worth(usd: str, least_usd: str) -> Situation:
    return Situation(instrument=spx(min_notional_usd=D(least_usd))).asking(quantity=D(usd) / 100)


def test_an_order_at_the_minimum_passes() -> None:
    assert worth("500", "500").codes() == set()


def test_dust_is_refused() -> None:
    said = worth("499", "500").objection("min_notional")
    assert said is not None
    assert (said.code, said.limit, said.attempted, said.overage) == ("below_min_notional", "500", "499", "1")


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_only_orders_of_at_least_the_minimum_pass(usd: int, least_usd: int) -> None:
    assert (worth(str(usd), str(least_usd)).codes() == set()) is (usd >= least_usd)
