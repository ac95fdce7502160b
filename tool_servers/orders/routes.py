"""The approvers' door: plain HTTP routes that need the operator's token, never the agent's.

They are no MCP tools, so no model can be talked into calling them. Requests are checked
for Host and Origin like those of the MCP endpoint.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio.to_thread
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tool_servers.access import Scope
from tool_servers.assembly import ToolServer
from tool_servers.doors import LARGEST_REQUEST_BYTES
from tool_servers.orders.declining import Refusal
from tool_servers.orders.desk import ProposalDesk
from tool_servers.untrusted import plain_text
from when_to_invest.approvals import Approval
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.motions import Endorsement
from when_to_invest.values import DecisionId, Name, Value

LOOPBACK_ONLY: Final = TransportSecuritySettings(
    enable_dns_rebinding_protection=True,
    allowed_hosts=["127.0.0.1:*", "localhost:*"],
    allowed_origins=["http://127.0.0.1:*", "http://localhost:*"],
)
_STATUS: Final = {
    ErrorCode.BAD_ARGUMENT: 400,
    ErrorCode.UNKNOWN_DECISION: 404,
    ErrorCode.BAD_APPROVAL: 409,
    ErrorCode.BAD_SIGNATURE: 409,
    ErrorCode.REDRIVE_REFUSED: 409,
    ErrorCode.UNKNOWN_MESSAGE: 404,
    ErrorCode.JOURNAL_CONFLICT: 503,
    ErrorCode.UNAUTHENTICATED: 401,
}
Answer = Mapping[str, Any]
Act = Callable[[bytes], Answer]


class Decline(Value):
    """An approver's no, or the operator's; signed, or on the operator's token alone."""

    decision_id: DecisionId
    approver: Name
    why: str = Field(default="", max_length=200)
    endorsement: Endorsement | None = None


def add_routes(server: ToolServer, desk: ProposalDesk) -> None:
    """Add `POST /approvals`, `POST /declines` and `GET /held` to the server."""

    def approve(body: bytes) -> Answer:
        return desk.approve(Approval.model_validate_json(body)).model_dump(mode="json")

    def decline(body: bytes) -> Answer:
        told = Decline.model_validate_json(body)
        said = Refusal(told.approver, plain_text(told.why), told.endorsement)
        return desk.decline(told.decision_id, said).model_dump(mode="json")

    def list_held(body: bytes) -> Answer:
        del body
        return {"held": [hold.as_json(desk.court.roll.domain) for hold in desk.held()]}

    server.custom_route("/approvals", methods=["POST"])(guarded(approve))
    server.custom_route("/declines", methods=["POST"])(guarded(decline))
    server.custom_route("/held", methods=["GET"])(guarded(list_held))


def guarded(act: Act) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler of a route that only the operator's token opens; faults become answers."""
    check = TransportSecurityMiddleware(LOOPBACK_ONLY)

    async def handle(request: Request) -> Response:
        refused = await check.validate_request(request, is_post=request.method == "POST")
        if refused is not None:
            return refused
        try:
            ensure_operator(request)
            answer = await anyio.to_thread.run_sync(functools.partial(act, await _body_of(request)))
        except ValidationError as error:
            return _failed(_unreadable(error))
        except Fault as fault:
            return _failed(fault)
        return JSONResponse(answer)

    return handle


def ensure_operator(request: Request) -> None:
    """Check that the caller's token opens the approvals.

    Raises:
        Fault: `unauthenticated`.
    """
    if Scope.APPROVALS not in request.auth.scopes:
        raise Fault(
            ErrorCode.UNAUTHENTICATED,
            "approvals need the operator's token",
            fix="use the token in run/operator.token of this home",
        )


async def _body_of(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_REQUEST_BYTES:
            raise Fault(ErrorCode.BAD_ARGUMENT, "the request is too long", fix="send one approval")
    return bytes(body)


def _failed(fault: Fault) -> Response:
    return Response(
        json.dumps({"error": fault.as_json()}),
        status_code=_STATUS.get(fault.code, 500),
        media_type="application/json",
    )


def _unreadable(error: ValidationError) -> Fault:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the body"
    return Fault(
        ErrorCode.BAD_ARGUMENT,
        plain_text(f"{where}: {first['msg']}"),
        fix="send the JSON object that `when-to-invest approvals sign` sends",
    )
