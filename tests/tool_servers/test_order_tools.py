"""The orders server's tools, called as an agent calls them."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rules import execution_worked
from tests.tool_servers.bench import Bench
from tests.tool_servers.calling import answer_of, call, error_of
from tool_servers.assembly import ToolServer
from tool_servers.orders.main import build
from when_to_invest.events import EnvelopeSealed
from when_to_invest.execution import TwapPlan
from when_to_invest.intents import OrderIntent

REQUEST = {"instrument": "SPX", "side": "buy", "notional_usd": "5000", "request_id": "r-1"}


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def server(bench: Bench) -> ToolServer:
    return build(bench.desk())


def propose(server: ToolServer, mode: str, **changes: Any) -> dict[str, Any]:
    return answer_of(call(server, "propose_order", REQUEST | changes, mode=mode))


def test_a_proposal_answers_with_its_verdict(server: ToolServer, mode: str) -> None:
    told = propose(server, mode)
    assert (told["verdict"], told["state"], told["reasons"]) == ("approved", "queued", [])
    assert told["intent"]["quantity"] == "49.504"
    assert told["intent"]["limit_price_usd"] == "101"
    assert told["intent"]["proposer"] == "local"


def test_the_proposer_is_who_called_and_never_an_argument(server: ToolServer, mode: str) -> None:
    error = error_of(call(server, "propose_order", REQUEST | {"proposer": "alice"}, mode=mode))
    assert error["code"] == "bad_argument"


@pytest.mark.parametrize(
    "changes",
    [
        {"notional_usd": "0"},
        {"notional_usd": "-5"},
        {"notional_usd": "NaN"},
        {"notional_usd": "1e400"},
        {"notional_usd": "Infinity"},
        {"limit_price_usd": "-1"},
        {"notional_usd": "0.01"},
    ],
    ids=str,
)
def test_absurd_amounts_never_reach_the_gate(
    bench: Bench, server: ToolServer, mode: str, changes: dict[str, Any]
) -> None:
    assert error_of(call(server, "propose_order", REQUEST | changes, mode=mode))["code"] == "bad_amount"
    assert bench.kinds() == ["account_funded"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"side": "short"}, "bad_argument"),
        ({"notional_usd": 5000}, "bad_argument"),
        ({"request_id": "a b"}, "bad_argument"),
        ({"request_id": ""}, "bad_argument"),
        ({"instrument": "NOPE"}, "unknown_instrument"),
        ({"recommendation_id": "r-unknown"}, "unknown_recommendation"),
    ],
    ids=["side", "number", "spaces", "empty", "instrument", "recommendation"],
)
def test_what_cannot_be_read_is_not_proposed(
    bench: Bench, server: ToolServer, mode: str, changes: dict[str, Any], code: str
) -> None:
    assert error_of(call(server, "propose_order", REQUEST | changes, mode=mode))["code"] == code
    assert bench.kinds() == ["account_funded"]


def test_a_refusal_is_an_answer_with_every_reason_and_a_way_out(server: ToolServer, mode: str) -> None:
    told = propose(server, mode, notional_usd="150000")
    assert told["verdict"] == "refused"
    assert len(told["reasons"]) > 2
    assert all(reason["fix"] for reason in told["reasons"])


def test_an_order_can_be_looked_up_listed_and_cancelled(server: ToolServer, mode: str) -> None:
    decision_id = propose(server, mode)["decision_id"]
    shown = answer_of(call(server, "get_order", {"decision_id": decision_id}, mode=mode))
    assert shown["state"] == "queued"
    assert [event["kind"] for event in shown["events"]][-1] == "envelope_queued"
    listed = answer_of(call(server, "list_orders", {"state": "queued"}, mode=mode))
    assert [row["decision_id"] for row in listed["orders"]] == [decision_id]
    cancelled = answer_of(call(server, "request_cancel", {"decision_id": decision_id}, mode=mode))
    assert cancelled["is_cancel_requested"]


WORKED = REQUEST | {"execution": "twap duration_s=3600 slices=12"}


def test_a_worked_order_is_sealed_with_its_plan(
    bench: Bench, server: ToolServer, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_worked, "WORKED_KINDS", frozenset({"twap"}))
    told = answer_of(call(server, "propose_worked_order", WORKED, mode=mode))
    assert (told["verdict"], told["state"]) == ("approved", "queued")
    assert told["intent"]["execution"] == "TWAP: 12 equal slices within 3600 s, collar 100 bps"
    sealed = [item.event for item in bench.journal.recorded if isinstance(item.event, EnvelopeSealed)]
    (intent,) = [event.envelope.content.intent for event in sealed]
    assert isinstance(intent, OrderIntent)
    assert intent.execution == TwapPlan(duration_s=3_600, slices=12)
    again = answer_of(call(server, "propose_worked_order", WORKED, mode=mode))
    assert again["decision_id"] == told["decision_id"]


def test_the_same_request_with_another_plan_is_another_order(
    server: ToolServer, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_worked, "WORKED_KINDS", frozenset({"twap"}))
    answer_of(call(server, "propose_worked_order", WORKED, mode=mode))
    other = WORKED | {"execution": "twap duration_s=3600 slices=13"}
    assert error_of(call(server, "propose_worked_order", other, mode=mode))["code"] == "bad_argument"
    assert error_of(call(server, "propose_order", REQUEST, mode=mode))["code"] == "bad_argument"


def test_a_plan_that_nobody_works_is_refused_with_a_way_out(
    server: ToolServer, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_worked, "WORKED_KINDS", frozenset())
    told = answer_of(call(server, "propose_worked_order", WORKED, mode=mode))
    assert told["verdict"] == "refused"
    assert [reason["code"] for reason in told["reasons"]] == ["execution_not_worked"]


@pytest.mark.parametrize(
    "plan", ["", "now", "twap", "twap duration_s=5 slices=9", "iceberg duration_s=60 display_quantity=1000"]
)
def test_a_plan_that_cannot_be_read_or_does_not_fit_is_not_proposed(
    bench: Bench, server: ToolServer, mode: str, plan: str
) -> None:
    error = error_of(call(server, "propose_worked_order", WORKED | {"execution": plan}, mode=mode))
    assert error["code"] == "bad_argument"
    assert bench.kinds() == ["account_funded"]


@pytest.mark.parametrize("tool", ["get_order", "request_cancel"])
def test_an_unknown_decision_is_an_error(server: ToolServer, mode: str, tool: str) -> None:
    error = error_of(call(server, tool, {"decision_id": "d-unknown"}, mode=mode))
    assert error["code"] == "unknown_decision"


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"limit": 51}, {"state": "lost"}])
def test_a_list_is_bounded_and_its_states_are_known(
    server: ToolServer, mode: str, arguments: dict[str, Any]
) -> None:
    assert error_of(call(server, "list_orders", arguments, mode=mode))["code"] == "bad_argument"


def test_the_portfolio_and_the_limits_are_told(server: ToolServer, mode: str) -> None:
    portfolio = answer_of(call(server, "get_portfolio", mode=mode))
    assert (portfolio["cash_usd"], portfolio["mode"]) == ("100000", "replay")
    limits = answer_of(call(server, "explain_limits", mode=mode))
    named = {row["name"]: row for row in limits["limits"]}
    assert named["max_order_notional_usd"]["value"] == "25000"
    assert all(row["meaning"] for row in limits["limits"])


def test_no_tool_approves_declines_or_loosens(server: ToolServer) -> None:
    names = {tool.name for tool in server._tool_manager.list_tools()}
    assert names == {
        "propose_order",
        "propose_worked_order",
        "get_order",
        "list_orders",
        "request_cancel",
        "get_portfolio",
        "explain_limits",
    }
