from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action, Predicate, Recommendation
from when_to_invest.decision.rounding import stable_figure, stable_ratio

MADE = recommend(daily_snapshot())
PROMISED = {
    "id": str,
    "instrument": str,
    "as_of": str,
    "action": str,
    "size_fraction": float,
    "schedule": list,
    "horizon_days": int,
    "p_up": {"value", "baseline", "has_skill"},
    "p_drop": {"threshold_ratio", "horizon_days", "value", "baseline"},
    "return_interval": {"level", "low", "high"},
    "sigma_annual": float,
    "risk": {"score", "parts"},
    "breakers": list,
    "evidence": {"id", "value", "unit", "source", "snapshot"},
    "invalidation": list,
    "expires_at": str,
    "snapshot_hash": str,
    "code_version": str,
    "seed": int,
}


@pytest.mark.parametrize("key", PROMISED)
def test_every_promised_key_is_there(key: str) -> None:
    found, promised = json.loads(MADE.canonical())[key], PROMISED[key]
    if isinstance(promised, set):
        inner = found[0] if isinstance(found, list) else found
        assert promised <= set(inner)
    else:
        assert isinstance(found, promised)


def test_it_survives_the_wire() -> None:
    again = Recommendation.model_validate_json(MADE.canonical())
    assert again == MADE
    assert again.canonical() == MADE.canonical()


def _altered(**changes: object) -> dict[str, object]:
    return {**json.loads(MADE.canonical()), **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence": []},
        {"size_fraction": 1.01},
        {"size_fraction": -0.01},
        {"size_fraction": float("nan")},
        {"action": "buy"},
        {"extra": 1},
        {"id": "r-1"},
        {"as_of": "2018-01-01T00:00:00"},
    ],
)
def test_an_inconsistent_one_cannot_be_made(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Recommendation.model_validate_json(json.dumps(_altered(**changes)))


def test_a_schedule_belongs_to_a_staged_entry_only() -> None:
    tranche = {"fraction": MADE.size_fraction, "due_at": None, "trigger": None, "text": "now"}
    wrong = (
        _altered(schedule=[])
        if MADE.action is Action.STAGE
        else _altered(schedule=[tranche], action=MADE.action.value)
    )
    with pytest.raises(ValidationError, match="a schedule belongs to a staged entry"):
        Recommendation.model_validate_json(json.dumps(wrong))


def test_tranches_that_do_not_add_up_are_refused() -> None:
    tranche = {"fraction": 0.1, "due_at": None, "trigger": None, "text": "now"}
    wrong = _altered(action="stage", size_fraction=0.3, schedule=[tranche, tranche])
    with pytest.raises(ValidationError, match="must add up"):
        Recommendation.model_validate_json(json.dumps(wrong))


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [("<", 1, 0, 0), ("<=", 1, 1, 0), (">", 0, 0, 1), (">=", 0, 1, 1)],
)
def test_a_predicate_holds_as_its_operator_says(operator: str, below: int, equal: int, above: int) -> None:
    predicate = Predicate.model_validate(
        {"metric": "chart.close", "operator": operator, "value": 2.0, "unit": "usd", "text": "x"}
    )
    assert [predicate.holds(value) for value in (1.0, 2.0, 3.0)] == [bool(below), bool(equal), bool(above)]


@given(value=st.floats(-1e6, 1e6), noise=st.sampled_from([-1e-13, 1e-13]))
def test_the_last_bits_of_a_matrix_product_never_show(value: float, noise: float) -> None:
    shown = round(value, 3)
    assert stable_ratio(shown + noise) == stable_ratio(shown)
    assert stable_figure(shown * (1 + noise)) == stable_figure(shown)


def test_minus_zero_is_zero() -> None:
    assert str(stable_ratio(-1e-9)) == "0.0"
    assert str(stable_figure(-0.0)) == "0.0"
