"""The approver's line to the orders service: small JSON calls on loopback with the operator's token."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from home.paths import Home

TIMEOUT_S = 15.0


def _not_running(error: Exception) -> Fault:
    return Fault(
        ErrorCode.SERVICE_UNAVAILABLE,
        f"the orders service does not answer ({type(error).__name__})",
        fix="start the services with `when-to-invest up`",
    )


def _orders_address(home: Home) -> str:
    try:
        services = json.loads((home.run / "services.json").read_text(encoding="utf-8"))
        url: str = services["orders"]["url"]
    except (OSError, ValueError, KeyError) as error:
        raise _not_running(error) from error
    return url.removesuffix("/mcp")


def _operator_token(home: Home) -> str:
    try:
        return (home.run / "operator.token").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise _not_running(error) from error


def _fault_of(error: urllib.error.HTTPError) -> Fault:
    """Rebuild the service's own error object from a refused call."""
    try:
        told = json.loads(error.read())["error"]
        return Fault(ErrorCode(told["code"]), str(told["message"]), fix=str(told["fix"]))
    except (ValueError, KeyError, TypeError):
        return Fault(
            ErrorCode.UNAUTHENTICATED if error.code in {401, 403} else ErrorCode.SERVICE_UNAVAILABLE,
            f"the orders service answered with status {error.code}",
            fix="restart the services with `when-to-invest down` and `up`",
        )


def call_orders(home: Home, path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
    """GET `path`, or POST `body` to it, and return the JSON object of the answer.

    Raises:
        Fault: `service_unavailable`, `unauthenticated`, or the service's own error.
    """
    request = urllib.request.Request(  # noqa: S310 - the address is our own loopback service
        _orders_address(home) + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "authorization": f"Bearer {_operator_token(home)}",
            "content-type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
            content: dict[str, object] = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise _fault_of(error) from error
    except (OSError, ValueError) as error:
        raise _not_running(error) from error
    return content
