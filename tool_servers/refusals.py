"""What a door says when it lets nobody in: one error object, whichever part refused.

The MCP endpoint's refusals are JSON-RPC errors that carry the object as their data, which
is how clients of the protocol show it; every other route answers the object itself. It must
never repeat a token, nor what was in a request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from when_to_invest.errors import ErrorCode, Fault

MCP_PATH: Final = "/mcp"
REFUSED: Final = -32003
"""JSON-RPC code of a refusal at the door (of the range that servers may define)."""
RETRY_AFTER_S: Final = 1

_STATUS: Final = {
    ErrorCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.OVERLOADED: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.SERVICE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.TIME_LIMIT: HTTPStatus.REQUEST_TIMEOUT,
    ErrorCode.BAD_ARGUMENT: HTTPStatus.BAD_REQUEST,
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a client is told so that it can get a token that opens this server."""

    metadata_url: str
    scopes: tuple[str, ...]

    def header(self, *, error: str, why: str, scopes: tuple[str, ...]) -> str:
        """Return `WWW-Authenticate`; without an `error` when no token was given (RFC 6750, 3.1)."""
        parts = [f'error="{error}"', f'error_description="{why}"'] if error else []
        parts += [f'scope="{" ".join(scopes)}"'] if scopes else []
        return "Bearer " + ", ".join([*parts, f'resource_metadata="{self.metadata_url}"'])


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer of a door. `scopes`: what the token would have to open."""

    fault: Fault
    status: int
    challenge: str | None = None

    def message(self, *, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the two ASGI messages of the answer."""
        body = self.body(path=path)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if self.challenge is not None:
            headers.append((b"www-authenticate", self.challenge.encode("latin-1", "replace")))
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
        start = {"type": "http.response.start", "status": int(self.status), "headers": headers}
        return start, {"type": "http.response.body", "body": body}

    def body(self, *, path: str) -> bytes:
        """Return the error object, inside a JSON-RPC error on the MCP endpoint."""
        told: Mapping[str, Any] = {"error": self.fault.as_json()}
        if path == MCP_PATH:
            error = {"code": REFUSED, "message": self.fault.message, "data": self.fault.as_json()}
            told = {"jsonrpc": "2.0", "id": None, "error": error}
        return json.dumps(told).encode()


def refusal_of(fault: Fault, challenge: Challenge, *, status: int | None = None) -> Refusal:
    """Return how `fault` is answered; who gave no or no good token is told how to get one."""
    chosen = status or _STATUS.get(fault.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    if fault.code is not ErrorCode.UNAUTHENTICATED:
        return Refusal(fault, chosen)
    header = challenge.header(error="invalid_token", why=fault.message, scopes=challenge.scopes)
    return Refusal(fault, chosen, header)


def no_token(challenge: Challenge) -> Refusal:
    """Return the answer to a request without a bearer token."""
    fault = Fault(
        ErrorCode.UNAUTHENTICATED,
        "this server is not open without a bearer token",
        fix="send `Authorization: Bearer TOKEN` with a token for this server",
    )
    return Refusal(
        fault, HTTPStatus.UNAUTHORIZED, challenge.header(error="", why="", scopes=challenge.scopes)
    )


def lacks_scope(challenge: Challenge, *, needed: tuple[str, ...]) -> Refusal:
    """Return the answer to a token that is good, but not for this."""
    named = " or ".join(needed)
    fault = Fault(
        ErrorCode.FORBIDDEN,
        f"the token does not open this: it lacks the scope {named}",
        fix=f"ask for a token with the scope {named}",
    )
    header = challenge.header(error="insufficient_scope", why=fault.message, scopes=needed)
    return Refusal(fault, HTTPStatus.FORBIDDEN, header)


def is_error_object(body: bytes) -> bool:
    """Return whether an answer already is an error as this program writes it."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and isinstance(told.get("error"), dict)


def plain_refusal(status: int, challenge: Challenge) -> Refusal:
    """Return the error object for a refusal that some library wrote as it likes."""
    if status == HTTPStatus.UNAUTHORIZED:
        return no_token(challenge)
    if status == HTTPStatus.FORBIDDEN:
        return lacks_scope(challenge, needed=challenge.scopes)
    said = HTTPStatus(status).phrase.lower() if status in set(HTTPStatus) else "refused"
    code = ErrorCode.INTERNAL if status >= HTTPStatus.INTERNAL_SERVER_ERROR.value else ErrorCode.BAD_ARGUMENT
    fault = Fault(code, f"the request cannot be served: {said}", fix="send what an MCP client sends")
    return Refusal(fault, status)
