"""The orders server's tools, called as an agent calls them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tool_servers.bench import Bench
from tests.tool_servers.calling import answer_of, call, error_of
from tool_servers.assembly import ToolServer
from tool_servers.orders.main import build

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
        "get_order",
        "list_orders",
        "request_cancel",
        "get_portfolio",
        "explain_limits",
    }
