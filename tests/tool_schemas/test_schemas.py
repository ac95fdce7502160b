"""What a model is shown of our tools is a reviewed diff, small, and says what a call may do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tool_schemas.catalogue import current_schemas, recorded_schemas, tokens_of

MOST_TOKENS = 5_000
READING = {"read_only": True, "destructive": False, "idempotent": True, "open_world": False}
CONDUCT = {
    "orders.propose_order": READING | {"read_only": False},
    "orders.propose_worked_order": READING | {"read_only": False},
    "orders.request_cancel": READING | {"read_only": False, "destructive": True},
}
PROMISED = {
    "market": {
        "get_recommendation",
        "get_snapshot",
        "get_risk",
        "get_breakers",
        "run_backtest",
        "get_scorecard",
        "list_instruments",
    },
    "orders": {
        "propose_order",
        "propose_worked_order",
        "get_order",
        "list_orders",
        "request_cancel",
        "get_portfolio",
        "explain_limits",
    },
    "chain": {"get_balances", "explain_limits"},
}


@pytest.fixture(scope="module")
def schemas() -> dict[str, dict[str, Any]]:
    return current_schemas()


def test_every_schema_is_the_reviewed_one(schemas: dict[str, dict[str, Any]]) -> None:
    assert schemas == recorded_schemas(), "run `python -m tests.tool_schemas.catalogue` and review the diff"


def test_the_servers_offer_what_was_promised(schemas: dict[str, dict[str, Any]]) -> None:
    assert set(schemas) == {f"{server}.{tool}" for server, tools in PROMISED.items() for tool in tools}


def test_all_schemas_together_cost_a_model_little(schemas: dict[str, dict[str, Any]]) -> None:
    assert tokens_of(schemas) <= MOST_TOKENS


def test_each_tool_says_what_a_call_may_do(schemas: dict[str, dict[str, Any]]) -> None:
    for name, schema in schemas.items():
        told = schema["annotations"]
        assert told == {
            "readOnlyHint": CONDUCT.get(name, READING)["read_only"],
            "destructiveHint": CONDUCT.get(name, READING)["destructive"],
            "idempotentHint": CONDUCT.get(name, READING)["idempotent"],
            "openWorldHint": CONDUCT.get(name, READING)["open_world"],
        }


def test_inputs_are_closed_and_short(schemas: dict[str, dict[str, Any]]) -> None:
    for schema in schemas.values():
        taken = schema["inputSchema"]
        assert taken["additionalProperties"] is False
        assert len(taken.get("properties", {})) <= 6
        assert schema["description"]


def test_amounts_are_text_and_no_number_is_money(schemas: dict[str, dict[str, Any]]) -> None:
    def numbers(part: Any, name: str = "") -> list[str]:
        if isinstance(part, list):
            return [found for item in part for found in numbers(item, name)]
        if not isinstance(part, dict):
            return []
        found = [name] if part.get("type") in {"number", "integer"} and name.endswith("_usd") else []
        for key, item in part.items():
            found += numbers(item, key if isinstance(item, dict) and key != "anyOf" else name)
        return found

    assert not [bad for schema in schemas.values() for bad in numbers(schema)]
