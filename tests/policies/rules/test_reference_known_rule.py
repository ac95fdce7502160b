"""Without an independent price nothing is judged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from policies.gate import judge
from policies.limits import HARD_LIMITS
from tests.strategies.situations import (
    D,
    Situation,
    order,
    price,
)
from tests.strategies.spoilers import (
    passable,
    unusable_prices,
)
from when_to_invest.verdicts import Refused


def test_a_usable_price_passes() -> None:
    cheap = Situation(reference=price("0.000000000000000001"))
    assert cheap.objection("reference_known") is None
    assert Situation(reference=price("100.000000000000000001")).objection("reference_known") is None


def test_a_missing_price_is_refused_by_every_rule_that_needs_it() -> None:
    said = {reason.rule for reason in Situation(reference=None).reasons()}
    assert said >= {
        "reference_known",
        "reference_age",
        "price_collar",
        "order_notional",
        "turnover",
        "approvals",
    }


@given(unusable_prices, passable())
def test_what_is_no_price_is_refused(reference: Any, situation: Situation) -> None:
    said = situation.but(reference=reference).objection("reference_known")
    assert said is not None
    assert said.code == "missing_fact"


@pytest.mark.parametrize(
    "spoil", [{"reference_price_usd": D(0)}, {"reference_price_usd": D(-5)}, {"reference_source": ""}]
)
def test_facts_that_were_not_gathered_here_are_not_trusted_either(spoil: dict[str, Any]) -> None:
    facts = Situation().facts.model_copy(update=spoil)
    verdict = judge(order(), facts, HARD_LIMITS)
    assert isinstance(verdict, Refused)
    assert "reference_known" in {reason.rule for reason in verdict.reasons}
