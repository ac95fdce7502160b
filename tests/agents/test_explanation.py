"""The analysis in plain words: short, complete, and true to the figures."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.evidence import Evidence, Fact, Kind, from_recommendation, from_request
from agents.explanation import explain, hundredths, order_lines, usd
from agents.grounding import ground
from agents.guards import examine
from agents.proposals import proposed_order
from agents.request import Request
from home.paths import Home
from market_data.source import parse_as_of, snapshot
from tests.fakes.recommendations import recommendation
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action
from when_to_invest.errors import Fault


def test_it_begins_with_the_verdict_and_names_the_amount() -> None:
    text = explain(recommendation(), budget_usd=Decimal(10_000))
    assert text.startswith("Verdict: invest now, 40.0 % of the budget\n")
    assert "4,000.00 USD" in text
    assert "expires on 2019-01-03" in text


def test_a_staged_entry_lists_its_steps() -> None:
    text = explain(recommendation(Action.STAGE), budget_usd=Decimal(10_000))
    assert text.count("10.0 % of the budget = 1,000.00 USD") == 3


def test_without_a_budget_no_amount_is_named() -> None:
    assert "with a budget of" not in explain(recommendation(), budget_usd=None)


def test_missing_skill_is_said_and_proven_skill_is_not_denied() -> None:
    assert "no proven skill" in explain(recommendation(), budget_usd=None)
    assert "no proven skill" not in explain(recommendation(has_skill=True), budget_usd=None)


def test_it_stays_short() -> None:
    assert len(explain(recommendation(Action.STAGE), budget_usd=Decimal(10_000)).split()) < 250


@given(st.floats(min_value=-1, max_value=1, allow_nan=False))
def test_every_shown_ratio_is_supported_by_itself(ratio: float) -> None:
    exact = round(ratio, 6) + 0.0
    known = Evidence((Fact("it", Decimal(str(exact)), Kind.RATIO),))
    assert not ground(f"a fall or rise of {hundredths(exact)}", known).findings


def test_amounts_are_written_with_separators() -> None:
    assert usd(Decimal("1234567.8")) == "1,234,567.80 USD"


@pytest.mark.parametrize(
    ("state", "words"),
    [("held", "held until a person approves it"), ("filled", "filled"), ("queued", "approved by the gate")],
)
def test_what_became_of_an_order_is_said(state: str, words: str) -> None:
    told = {"decision_id": "d-" + "0" * 24, "state": state, "verdict": "approved"}
    assert words in order_lines(proposed_order(told))[0]


@pytest.mark.parametrize(
    "told", [{}, {"decision_id": "d-1"}, {"decision_id": "d-" + "0" * 24, "state": "odd"}]
)
def test_an_unreadable_decision_is_a_fault(told: dict[str, str]) -> None:
    with pytest.raises(Fault, match="cannot read"):
        proposed_order(told)


@pytest.mark.parametrize(
    ("day", "held"),
    [("2016-03-15", 0.0), ("2016-03-15", 1.0), ("2018-12-24", 0.5), ("2017-06-30", 0.9), ("2018-02-20", 0.1)],
)
def test_what_is_held_back_and_what_is_held_is_told_within_the_rules(day: str, held: float) -> None:
    answer = recommend(snapshot(Home(Path("unused")), "SPX", as_of=parse_as_of(day)), held_fraction=held)
    budget_usd = Decimal(10_000)
    known = from_recommendation(answer, budget_usd=budget_usd)
    known += from_request(Request(question="Now?", instrument="SPX", budget_usd=budget_usd))
    standing = examine(explain(answer, budget_usd=budget_usd), evidence=known, recommendation=answer)
    assert standing.findings == ()
