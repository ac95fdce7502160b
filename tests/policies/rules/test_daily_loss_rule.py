"""An account that lost too much today buys nothing more; the way out stays open."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, tighten
from tests.strategies.situations import D, Situation, book, price, worth
from when_to_invest.intents import Side


def fallen(usd: str | int, *, cash_usd: str = "95000") -> Situation:
    return Situation(book=book(cash_usd=cash_usd, was_worth=worth(usd)))


def test_a_loss_up_to_the_limit_passes_and_so_does_any_sell() -> None:
    assert fallen("100000").objection("daily_loss") is None
    assert fallen("900000").asking(side=Side.SELL).objection("daily_loss") is None


def test_a_loss_beyond_it_is_refused() -> None:
    said = fallen("100000.01").objection("daily_loss")
    assert said is not None
    assert (said.code, said.attempted, said.limit, said.unit) == (
        "daily_loss_exceeded",
        "5000.01",
        "5000.0005",
        "USD",
    )


def test_holdings_count_at_independent_prices_and_not_at_the_orders_own() -> None:
    held = book(cash_usd="1000", held={"SPX": 10, "GLD": 5}, was_worth=worth(2500))
    situation = Situation(book=held, marks={"GLD": price(100)}).asking(limit_price_usd=D(102))
    assert situation.facts.equity_usd == D(2500)
    assert situation.but(reference=price(50)).objection("daily_loss") is not None


@pytest.mark.parametrize(
    "situation",
    [
        Situation(book=book(cash_usd=None)),
        Situation(book=book(held={"GLD": 1})),
        Situation(book=book(held={"SPX": 1}), reference=None),
    ],
)
def test_a_worth_that_is_unknown_refuses(situation: Situation) -> None:
    said = situation.objection("daily_loss")
    assert said is not None
    assert said.code == "missing_fact"


def old(*, mark_s: int, price_s: int) -> Situation:
    known = book(held={"GLD": 1}, was_worth=worth(100, age_s=mark_s))
    return Situation(book=known, marks={"GLD": price(age_s=price_s)})


def test_marks_and_prices_at_the_edge_of_their_age_pass_and_older_ones_are_refused() -> None:
    edge = HARD_LIMITS.max_reference_age_s
    assert old(mark_s=edge, price_s=edge).objection("daily_loss") is None
    for mark_s, price_s in ((edge + 60, 1), (1, edge + 60)):
        said = old(mark_s=mark_s, price_s=price_s).objection("daily_loss")
        assert said is not None
        assert (said.code, said.limit, said.attempted, said.overage) == (
            "daily_loss_stale",
            "432000",
            "432060",
            "60",
        )


def test_an_account_that_holds_nothing_is_worth_its_cash_however_long_ago_it_was_marked() -> None:
    idle = book(was_worth=worth(100_000, age_s=10**8))
    assert Situation(book=idle).objection("daily_loss") is None


@given(st.integers(1, 200_000), st.integers(1, 200_000), st.integers(0, 500))
def test_no_buy_passes_once_the_loss_is_beyond_any_limit(before: int, cash: int, bps: int) -> None:
    limits = tighten(HARD_LIMITS, {"max_daily_loss_bps": str(bps)})
    is_refused = fallen(before, cash_usd=str(cash)).objection("daily_loss", limits) is not None
    assert is_refused == (Decimal(before - cash) > Decimal(before) * bps / 10_000)
