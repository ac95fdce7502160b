"""A plan passes only when the executor works by its kind; an order without one is not concerned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rules import execution_worked
from tests.strategies.executions import executions
from tests.strategies.situations import D, Situation
from when_to_invest.execution import WORKED_KINDS, Execution, TwapPlan
from when_to_invest.execution_text import PLANS

TWAP = TwapPlan(duration_s=600, slices=10)


def test_an_order_without_a_plan_passes() -> None:
    assert Situation().objection("execution_worked") is None


def test_a_plan_that_is_worked_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_worked, "WORKED_KINDS", frozenset({"twap"}))
    assert Situation().asking(execution=TWAP).codes() == set()


def test_a_plan_that_nobody_works_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_worked, "WORKED_KINDS", frozenset({"vwap", "peg"}))
    said = Situation().asking(execution=TWAP).objection("execution_worked")
    assert said is not None
    assert (said.code, said.limit, said.attempted) == ("execution_not_worked", "peg, vwap", "twap")
    assert said.fix == "leave the plan out, or use one of: peg, vwap"


def test_an_empty_list_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_worked, "WORKED_KINDS", frozenset())
    said = Situation().asking(execution=TWAP).objection("execution_worked")
    assert said is not None
    assert said.limit == "none"


@given(executions(D(10)), st.frozensets(st.sampled_from([*PLANS])))
def test_only_listed_kinds_pass(plan: Execution, worked: frozenset[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution_worked, "WORKED_KINDS", worked)
        assert (Situation().asking(execution=plan).codes() == set()) is (plan.kind in worked)


def test_what_is_listed_exists() -> None:
    assert set(PLANS) >= WORKED_KINDS
