"""The size of a proposal comes from the analysis, never from a model."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.entry import entry_of
from tests.fakes.recommendations import recommendation
from when_to_invest.decision.recommendation import Action
from when_to_invest.intents import Side
from when_to_invest.money import share_usd

BUDGET_USD = Decimal(10_000)


def test_investing_now_buys_the_whole_size() -> None:
    entry = entry_of(recommendation(), budget_usd=BUDGET_USD)
    assert entry is not None
    assert (entry.side, entry.notional_usd) == (Side.BUY, Decimal(4000))


def test_staging_buys_only_what_is_due_now() -> None:
    entry = entry_of(recommendation(Action.STAGE), budget_usd=BUDGET_USD)
    assert entry is not None
    assert entry.notional_usd == Decimal(1000)


@pytest.mark.parametrize("action", [Action.WAIT, Action.REDUCE])
def test_waiting_and_reducing_propose_nothing(action: Action) -> None:
    assert entry_of(recommendation(action), budget_usd=BUDGET_USD) is None


def test_without_a_budget_nothing_is_proposed() -> None:
    assert entry_of(recommendation(), budget_usd=None) is None


def test_less_than_a_cent_is_nothing() -> None:
    assert entry_of(recommendation(), budget_usd=Decimal("0.02")) is None


@given(
    st.decimals(min_value="0.01", max_value=10**9, places=2),
    st.floats(min_value=0, max_value=1, allow_nan=False),
)
def test_a_part_never_exceeds_its_share(budget_usd: Decimal, fraction: float) -> None:
    part = share_usd(budget_usd, fraction)
    assert 0 <= part <= budget_usd * Decimal(str(fraction))
    assert part == part.quantize(Decimal("0.01"))
