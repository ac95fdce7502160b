"""A plan is written in words, read exactly, and whoever gets it wrong is told how it is written."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given

from tests.strategies.executions import executions
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.execution import Execution, PegPlan, TwapPlan, VwapPlan
from when_to_invest.execution_text import PLANS, parse_execution, usage
from when_to_invest.money import decimal_text

D = Decimal


def _said(value: object) -> str:
    match value:
        case Decimal():
            return decimal_text(value)
        case tuple():
            return ",".join(map(_said, value))
        case _:
            return str(value)


@given(executions(D(50)))
def test_what_is_written_is_what_is_read(plan: Execution) -> None:
    figures = [f"{name}={_said(getattr(plan, name))}" for name in type(plan).model_fields if name != "kind"]
    assert parse_execution(" ".join([plan.kind, *figures])) == plan


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("twap duration_s=3600 slices=12", TwapPlan(duration_s=3_600, slices=12)),
        ("  TWAP  slices=12   duration_s=3600 ", TwapPlan(duration_s=3_600, slices=12)),
        ("vwap duration_s=60 volume_curve=1,2.5", VwapPlan(duration_s=60, volume_curve=(D(1), D("2.5")))),
        ("peg duration_s=60 collar_bps=25", PegPlan(duration_s=60, collar_bps=D(25))),
    ],
)
def test_a_plan_is_read(text: str, plan: Execution) -> None:
    assert parse_execution(text) == plan


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begins no plan"),
        ("market", "begins no plan"),
        ("twap duration_s=60 slices=" + "1" * 4_000, "begins no plan"),
        ("twap duration_s=60", "slices"),
        ("twap 60 5", "name=value"),
        ("twap duration_s=60 slices=5 slices=6", "name=value"),
        ("twap duration_s=60 slices=5 kind=vwap", "name=value"),
        ("twap duration_s=60 slices=5 is_urgent=yes", "is_urgent"),
        ("twap duration_s=60 slices=5.0", "slices"),
        ("twap duration_s=60 slices=-5", "slices"),
        ("twap duration_s=60 slices=\u0665", "slices"),
        ("twap duration_s=5 slices=9", "at least one second"),
        ("vwap duration_s=60 volume_curve=1,,2", "volume_curve"),
        ("vwap duration_s=60 volume_curve=0,0", "above zero"),
        ("pov duration_s=60 participation_ratio=0.5", "at most 0.3"),
        ("pov duration_s=60 participation_ratio=NaN", "participation_ratio"),
    ],
)
def test_what_is_no_plan_is_refused_with_how_it_is_written(text: str, why: str) -> None:
    with pytest.raises(Fault) as refused:
        parse_execution(text)
    assert refused.value.code is ErrorCode.BAD_ARGUMENT
    assert why in refused.value.message
    assert refused.value.fix.startswith(("write it as", "begin with one of"))


@pytest.mark.parametrize("kind", PLANS)
def test_every_kind_says_how_it_is_written(kind: str) -> None:
    told = usage(PLANS[kind])
    assert told.startswith(kind)
    assert all(f"{name}=" in told for name in PLANS[kind].model_fields if name != "kind")
