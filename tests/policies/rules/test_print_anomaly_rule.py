"""Where the venue's last trade disagrees with independent data nothing is bought."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies.situations import NOW, D, Situation, price, session
from when_to_invest.instruments import Session
from when_to_invest.intents import Side
from when_to_invest.recent import LastPrint


def printed(usd: str | Decimal, *, hours_ago: float = 1, at: tuple[str, str] = ("paper", "SPX")) -> Situation:
    situation = Situation()
    situation.book.recent.prints[at] = LastPrint(D(usd), NOW - timedelta(hours=hours_ago))
    return situation


@pytest.mark.parametrize("usd", ["89", "95", "100", "111"])
def test_a_print_in_or_near_the_range_passes(usd: str) -> None:
    assert printed(usd).objection("print_anomaly") is None


@pytest.mark.parametrize(("usd", "attempted"), [("88.99", "1001"), ("111.01", "1001"), ("50", "4900")])
def test_a_print_far_outside_is_refused_for_buys_alone(usd: str, attempted: str) -> None:
    said = printed(usd).objection("print_anomaly")
    assert said is not None
    assert (said.code, said.limit, said.attempted) == ("print_disagrees", "1000", attempted)
    assert D(said.overage) == D(attempted) - 1000
    assert printed(usd).asking(side=Side.SELL).objection("print_anomaly") is None


@pytest.mark.parametrize(
    "situation",
    [printed("50", hours_ago=24), printed("50", at=("other", "SPX")), printed("50", at=("paper", "GLD"))],
)
def test_an_old_print_and_one_from_elsewhere_pass(situation: Situation) -> None:
    assert situation.objection("print_anomaly") is None


def test_the_reference_itself_is_part_of_the_range() -> None:
    assert printed("131").but(reference=price("121")).objection("print_anomaly") is None
    assert printed("70").but(reference=price("75")).objection("print_anomaly") is None


def test_a_wilder_asset_may_print_farther_out() -> None:
    went = session(session=Session.CONTINUOUS, volatility=D("0.6"))
    assert printed("131").but(reference=price(went=went)).objection("print_anomaly") is None
    assert printed("131.1").but(reference=price(went=went)).objection("print_anomaly") is not None


def test_a_print_without_a_range_to_compare_with_is_refused() -> None:
    said = printed("100").but(reference=price(went=None)).objection("print_anomaly")
    assert said is not None
    assert said.code == "missing_fact"


@given(st.integers(1, 300).map(Decimal))
def test_no_buy_passes_beside_a_print_farther_out_than_the_limit(usd: Decimal) -> None:
    outside = max(99 - usd, usd - 101, D(0))
    assert (printed(usd).objection("print_anomaly") is not None) == (outside > 10)
