"""The orders server behind a socket, with the authorization server whose tokens it believes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2

from home.callers import CallerSettings, OAuthSettings
from home.clock import Clock
from home.paths import Home
from home.settings import Settings
from tests.tool_servers.bench import ALICE, Bench
from tests.tool_servers.issuing import ISSUER, AuthorizationServer
from tool_servers.access import OPERATOR, Callers, token_hash
from tool_servers.admission import access_of
from tool_servers.orders.main import build

LOCAL = Callers({token_hash("agent-token"): "agent", token_hash("operator-token"): OPERATOR})
ORDER = {"instrument": "SPX", "side": "buy", "notional_usd": "5000", "request_id": "r-1"}


def settings(**changes: Any) -> Settings:
    told = {
        "approvers": {"alice": ALICE.address},
        "oauth": OAuthSettings(issuer=ISSUER, jwks_file="keys.json"),
        "callers": {
            "alice-desk": CallerSettings(subject="alice-7"),
            "bob-desk": CallerSettings(subject="bob-8"),
            "auditor": CallerSettings(
                subject="carol-9", tools=("orders.get_order", "orders.list_orders"), may_read={"alice-desk"}
            ),
        },
    }
    return Settings(**(told | changes))


class Opened:
    """The orders server behind a socket, and the authorization server it believes."""

    def __init__(self, tmp_path: Path, *, clock: Clock | None = None, **changes: Any) -> None:
        self.issuer = AuthorizationServer(tmp_path / "keys.json")
        self.issuer.publish("one", "curve")
        self.bench = Bench(settings=settings(**changes))
        self.desk = self.bench.desk()
        self._home = Home(tmp_path)
        self._clock = clock

    def build(self, url: str) -> Any:
        self.issuer.resource = url
        access = access_of(
            self._home, self.bench.settings, server="orders", url=url, callers=LOCAL, clock=self._clock
        )
        return build(self.desk, access=access)

    def journalled(self, kind: str) -> list[Any]:
        return [row.event for row in self.bench.journal.recorded if row.event.kind == kind]


def error_at(answer: httpx2.Response) -> dict[str, Any]:
    """Return the error object of a refused JSON-RPC request."""
    told = answer.json()
    assert told["jsonrpc"] == "2.0"
    error: dict[str, Any] = told["error"]["data"]
    assert set(error) == {"code", "message", "fix", "retryable"}
    assert told["error"]["message"] == error["message"]
    return error
