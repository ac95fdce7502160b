"""Plans are bounded, travel with the intent, and leave old bytes alone."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tests.strategies.executions import executions
from tests.when_to_invest.samples import HASH, NOW, Story, order_intent
from when_to_invest import events as ev
from when_to_invest.approvals import approval_typed_data, describe_intent
from when_to_invest.domains import SigningDomain
from when_to_invest.execution import Execution, TwapPlan, describe_execution
from when_to_invest.intents import OrderIntent

PLAN: TypeAdapter[Execution] = TypeAdapter(Execution)
HERE = SigningDomain(home_id=HASH, chain_id=31_337)
SOUND: list[dict[str, Any]] = [
    {"kind": "immediate"},
    {"kind": "twap", "duration_s": 86_400, "slices": 500},
    {"kind": "vwap", "duration_s": 60, "volume_curve": ["0", "1.5", "3"]},
    {"kind": "shortfall", "duration_s": 60, "slices": 4, "urgency": "0"},
    {"kind": "pov", "duration_s": 60, "participation_ratio": "0.3"},
    {"kind": "iceberg", "duration_s": 60, "display_quantity": "0.5"},
    {"kind": "peg", "duration_s": 60},
]
UNSOUND: list[dict[str, Any]] = [
    {"kind": "market"},
    {"kind": "immediate", "collar_bps": "0"},
    {"kind": "immediate", "collar_bps": "1000.1"},
    {"kind": "immediate", "collar_bps": "NaN"},
    {"kind": "immediate", "duration_s": 60},
    {"kind": "twap", "duration_s": 0, "slices": 1},
    {"kind": "twap", "duration_s": 86_401, "slices": 1},
    {"kind": "twap", "duration_s": 600, "slices": 0},
    {"kind": "twap", "duration_s": 600, "slices": 501},
    {"kind": "twap", "duration_s": 60, "slices": 61},
    {"kind": "twap", "duration_s": "60", "slices": 6},
    {"kind": "twap", "duration_s": 60, "slices": 6, "is_urgent": True},
    {"kind": "vwap", "duration_s": 60, "volume_curve": []},
    {"kind": "vwap", "duration_s": 60, "volume_curve": ["0", "0"]},
    {"kind": "vwap", "duration_s": 60, "volume_curve": ["1", "-1"]},
    {"kind": "vwap", "duration_s": 2, "volume_curve": ["1", "1", "1"]},
    {"kind": "vwap", "duration_s": 600, "volume_curve": ["1"] * 501},
    {"kind": "shortfall", "duration_s": 60, "slices": 4, "urgency": "-0.1"},
    {"kind": "shortfall", "duration_s": 60, "slices": 4, "urgency": "20.1"},
    {"kind": "shortfall", "duration_s": 3, "slices": 4, "urgency": "1"},
    {"kind": "pov", "duration_s": 60, "participation_ratio": "0"},
    {"kind": "pov", "duration_s": 60, "participation_ratio": "0.31"},
    {"kind": "iceberg", "duration_s": 60, "display_quantity": "0"},
    {"kind": "peg", "duration_s": 60, "offset_bps": "-1"},
    {"kind": "peg", "duration_s": 60, "reprice_after_s": 0},
    {"kind": "peg", "duration_s": 60, "most_reprices": 501},
]


def _read(plan: dict[str, Any]) -> Execution:
    return PLAN.validate_json(PLAN.dump_json(plan, warnings=False))


@pytest.mark.parametrize("plan", SOUND, ids=lambda plan: plan["kind"])
def test_a_sound_plan_is_read(plan: dict[str, Any]) -> None:
    assert _read(plan).kind == plan["kind"]


@pytest.mark.parametrize("plan", UNSOUND, ids=str)
def test_an_unsound_plan_is_refused(plan: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _read(plan)


@given(executions(Decimal("3.5")))
def test_a_plan_travels_with_its_intent_and_is_part_of_its_hash(plan: Execution) -> None:
    intent = order_intent(execution=plan)
    assert OrderIntent.model_validate_json(intent.canonical()) == intent
    assert intent.digest() != order_intent().digest()


@given(executions(Decimal("3.5")), executions(Decimal("3.5")))
def test_two_plans_never_share_a_hash(first: Execution, second: Execution) -> None:
    digests = {order_intent(execution=plan).digest() for plan in (first, second)}
    assert len(digests) == (1 if first == second else 2)


def test_what_has_no_plan_keeps_the_bytes_it_had_before_there_were_plans() -> None:
    story = Story(order_intent())
    assert story.intent.digest() == "0beef57e7253214b17e5e3535367923af24b8cb42ff2ecf1867a3622ced66bdf"
    sealed = story.envelope().content.digest()
    assert sealed == "96226cd24512271c785cb9ae17e32c3713a52e8d0fdc43263bfc6a781fa277c8"
    assert [event.digest() for event in (story.sealed(), story.proposed(), story.sending())] == [
        "20f6cd35b64240ae51f3260504e57f6509f4e041cfa1ae04230c4190fb2680d1",
        "7f19e577097c8bdc844056bba8b6d909cbc1e3cfea7d0db3bc9ad267fbc4894c",
        "0dc2f8019f26723698554f4f000230a7dbcc689f6ec7e894dd237b31ad4fe07a",
    ]


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        (None, "346560f02c8d140899dadf088e3c75adc44b257c63a4c718a5aa60f5f7394012"),
        (HERE, "2a4572621165f83b3d11ef017f4bec309289b60d7fb87517c215e7b3328bbfb8"),
    ],
)
def test_what_people_signed_before_there_were_plans_reads_the_same(
    domain: SigningDomain | None, known: str
) -> None:
    story = Story(order_intent())
    document = approval_typed_data(
        decision_id=story.decision_id, intent=story.intent, expires_at=NOW, domain=domain
    )
    assert hashlib.sha256(repr(document).encode()).hexdigest() == known


@given(executions(Decimal("3.5")))
def test_an_approver_reads_how_it_is_to_be_worked(plan: Execution) -> None:
    intent = order_intent(execution=plan)
    told = describe_execution(plan)
    assert told in describe_intent(intent)
    for domain in (None, HERE):
        document = approval_typed_data(decision_id="d", intent=intent, expires_at=NOW, domain=domain)
        assert any(told in text for text in document["message"].values() if isinstance(text, str))
        declared = {entry["name"] for entry in document["types"]["Approval"]}
        assert declared == set(document["message"])


def test_a_plan_reads_plainly() -> None:
    plan = TwapPlan(duration_s=3_600, slices=12)
    assert describe_execution(plan) == "TWAP: 12 equal slices within 3600 s, collar 100 bps"


@pytest.mark.parametrize(
    ("shown", "is_sound"), [("3.5", True), ("3.6", False), ("0.007", True), ("0.006", False)]
)
def test_an_iceberg_shows_at_most_all_and_at_least_a_five_hundredth(shown: str, *, is_sound: bool) -> None:
    plan = _read({"kind": "iceberg", "duration_s": 60, "display_quantity": shown})
    if is_sound:
        assert order_intent(execution=plan).execution == plan
    else:
        with pytest.raises(ValidationError, match="iceberg"):
            order_intent(execution=plan)


@given(st.sampled_from(SOUND))
def test_a_proposal_with_a_plan_survives_the_journal(plan: dict[str, Any]) -> None:
    event = Story(order_intent(execution=_read(plan))).sealed()
    assert ev.event_from_json(event.canonical()) == event
