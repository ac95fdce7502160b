"""The HTTP doors: who may open which, and from where."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.tool_servers.bench import MALLORY, NOW, Bench, proposal, signed
from tool_servers.access import OPERATOR, Callers, token_hash
from tool_servers.admission import Access
from tool_servers.orders.answers import DecisionAnswer
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.main import build

ADDRESS = "http://127.0.0.1:4567"
TOKENS = {"agent": "agent-token", OPERATOR: "operator-token"}
CALLERS = Callers({token_hash(token): caller for caller, token in TOKENS.items()})
CALL_TOOL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


class Doors:
    """The orders server's HTTP application, without a socket; a fresh one for each knock."""

    def __init__(self, desk: ProposalDesk) -> None:
        self.desk = desk

    def knock(
        self, method: str, path: str, *, token: str | None = None, json: Any = None, **headers: str
    ) -> httpx2.Response:
        async def once() -> httpx2.Response:
            app = build(self.desk, access=Access(f"{ADDRESS}/mcp", CALLERS)).streamable_http_app(
                stateless_http=True, json_response=True, host="127.0.0.1"
            )
            transport = httpx2.ASGITransport(app=app)
            async with (
                app.router.lifespan_context(app),
                httpx2.AsyncClient(transport=transport, base_url=ADDRESS) as client,
            ):
                bearer = {} if token is None else {"authorization": f"Bearer {token}"}
                return await client.request(method, path, json=json, headers=bearer | headers)

        return asyncio.run(once())


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def desk(bench: Bench) -> ProposalDesk:
    return bench.desk()


@pytest.fixture
def held(desk: ProposalDesk) -> DecisionAnswer:
    return desk.propose(proposal("15000"), caller="agent")


@pytest.fixture
def doors(desk: ProposalDesk) -> Doors:
    return Doors(desk)


@pytest.mark.parametrize("token", [None, "", "wrong", "agent-token "])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/mcp"), ("POST", "/approvals"), ("POST", "/declines"), ("GET", "/held")]
)
def test_without_the_right_token_every_door_is_shut(
    doors: Doors, token: str | None, method: str, path: str
) -> None:
    assert doors.knock(method, path, token=token, json=CALL_TOOL).status_code == 401


def test_the_agent_cannot_approve_decline_or_list_holds(
    bench: Bench, desk: ProposalDesk, doors: Doors, held: DecisionAnswer
) -> None:
    approval = signed(desk, held).model_dump(mode="json")
    decline = {"decision_id": held.decision_id, "approver": "alice"}
    events = bench.kinds()
    for method, path, body in (
        ("POST", "/approvals", approval),
        ("POST", "/declines", decline),
        ("GET", "/held", None),
    ):
        answer = doors.knock(method, path, token=TOKENS["agent"], json=body)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "unauthenticated"
    assert bench.kinds() == events


def test_the_operator_cannot_call_tools(doors: Doors) -> None:
    assert doors.knock("POST", "/mcp", token=TOKENS[OPERATOR], json=CALL_TOOL).status_code == 403


def test_the_operator_lists_approves_and_is_told_the_verdict(
    desk: ProposalDesk, doors: Doors, held: DecisionAnswer
) -> None:
    listed = doors.knock("GET", "/held", token=TOKENS[OPERATOR]).json()["held"]
    assert [hold["decision_id"] for hold in listed] == [held.decision_id]
    approval = signed(desk, held).model_dump(mode="json")
    answer = doors.knock("POST", "/approvals", token=TOKENS[OPERATOR], json=approval)
    assert answer.status_code == 200
    assert (answer.json()["verdict"], answer.json()["state"]) == ("approved", "queued")
    assert doors.knock("GET", "/held", token=TOKENS[OPERATOR]).json() == {"held": []}


def test_the_operator_declines(doors: Doors, held: DecisionAnswer) -> None:
    body = {"decision_id": held.decision_id, "approver": "alice", "why": "too\u202emuch\n"}
    answer = doors.knock("POST", "/declines", token=TOKENS[OPERATOR], json=body)
    assert answer.json()["state"] == "declined"


def test_the_operators_token_does_not_replace_a_signature(
    desk: ProposalDesk, doors: Doors, held: DecisionAnswer
) -> None:
    forged = signed(desk, held, key=MALLORY).model_dump(mode="json")
    answer = doors.knock("POST", "/approvals", token=TOKENS[OPERATOR], json=forged)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] in {"bad_approval", "bad_signature"}
    assert desk.get(held.decision_id).state == "held"


@pytest.mark.parametrize(
    "body", [{}, [], {"decision_id": "d-1"}, {"approver": "alice", "extra": 1}, "text"], ids=str
)
def test_an_unreadable_body_is_an_error_object(doors: Doors, body: Any) -> None:
    for path in ("/approvals", "/declines"):
        answer = doors.knock("POST", path, token=TOKENS[OPERATOR], json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "bad_argument"


def test_an_unknown_decision_is_not_found(doors: Doors) -> None:
    body = {"decision_id": "d-" + "0" * 24, "approver": "alice"}
    assert doors.knock("POST", "/declines", token=TOKENS[OPERATOR], json=body).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"host": "evil.example"}, 421), ({"origin": "http://evil.example"}, 403)],
    ids=["host", "origin"],
)
@pytest.mark.parametrize("path", ["/approvals", "/declines", "/held", "/mcp"])
def test_a_web_page_cannot_reach_any_door(
    doors: Doors, path: str, headers: dict[str, str], status: int
) -> None:
    method = "GET" if path == "/held" else "POST"
    token = TOKENS["agent"] if path == "/mcp" else TOKENS[OPERATOR]
    assert doors.knock(method, path, token=token, json=CALL_TOOL, **headers).status_code == status


def test_an_endless_body_is_cut(doors: Doors) -> None:
    answer = doors.knock("POST", "/approvals", token=TOKENS[OPERATOR], json={"x": "y" * 300_000})
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "bad_argument"


def test_health_needs_no_token_and_tells_nothing(doors: Doors) -> None:
    answer = doors.knock("GET", "/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


def test_a_late_approval_is_a_conflict(
    bench: Bench, desk: ProposalDesk, doors: Doors, held: DecisionAnswer
) -> None:
    approval = signed(desk, held).model_dump(mode="json")
    bench.clock.move_to(NOW + timedelta(days=2))
    answer = doors.knock("POST", "/approvals", token=TOKENS[OPERATOR], json=approval)
    assert answer.status_code == 409
