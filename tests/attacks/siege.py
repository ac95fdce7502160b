"""A home under siege: real services, real executor, and callers with tokens of a real issuer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import httpx2

from cli.demo.stage import Stage
from tests.tool_servers.issuing import ISSUER, AuthorizationServer

STARTS_AT: Final = datetime(2016, 3, 1, 22, tzinfo=UTC)
GOOD_FRIDAY: Final = date(2016, 3, 25)
WEEKEND: Final = frozenset({5, 6})
ROBOTS: Final = 8
OAUTH: Final = f'[oauth]\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n'
ACCEPT: Final = "application/json, text/event-stream"


class Siege(Stage):
    """The services of a throw-away home, without an agent of ours."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, start_at=STARTS_AT, ack_delay_s=0.0)
        self.issuer = AuthorizationServer(self.home.root / "keys.json")
        self.today = STARTS_AT

    def __enter__(self) -> Self:
        self._furnish()
        self.issuer.publish("one")
        robots = "".join(f'[callers.robot-{n}]\nsubject = "robot-{n}"\n' for n in range(ROBOTS))
        with self.home.config.open("a") as config:
            config.write(OAUTH + robots)
        try:
            with self._passphrase_file("seal") as path:
                self.command("up", "--detach", "--passphrase-file", str(path))
        except BaseException:
            self.__exit__()
            raise
        return self

    @cached_property
    def urls(self) -> dict[str, str]:
        """Return the MCP address of each server."""
        listed = json.loads((self.home.run / "services.json").read_text())
        return {name: told["url"] for name, told in listed.items() if "url" in told}

    def local_token(self, name: str) -> str:
        return (self.home.run / f"{name}.token").read_text().strip()

    def robot_token(self, server: str, number: int, **changes: Any) -> str:
        self.issuer.resource = self.urls[server]
        return self.issuer.token(**({"sub": f"robot-{number}", "exp": 4_000_000_000} | changes))

    def next_day(self) -> None:
        """Move the shared clock past the next trading day's close."""
        self.today += timedelta(days=1)
        while self.today.weekday() in WEEKEND or self.today.date() == GOOD_FRIDAY:
            self.today += timedelta(days=1)
        self.clock.move_to(self.today)


class Line:
    """One caller's line to one server: raw JSON-RPC, so that nothing is checked on the way."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._http = httpx2.Client(headers={"authorization": f"Bearer {token}", "accept": ACCEPT}, timeout=60)

    def post(self, body: Any) -> httpx2.Response:
        """Send a request as it is, text or value."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._http.post(self._url, content=content, headers={"content-type": "application/json"})

    def tools(self) -> dict[str, dict[str, Any]]:
        """Return the schema of each tool."""
        told = self._told(self.post({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
        return {tool["name"]: tool["inputSchema"] for tool in told["result"]["tools"]}

    def call(self, tool: str, arguments: Any) -> dict[str, Any]:
        """Return a call's structured content, or `{"error": ...}` of whichever kind."""
        params = {"name": tool, "arguments": arguments}
        answer = self.post({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        assert "Traceback" not in answer.text
        told = self._told(answer)
        if "error" in told:
            return {"error": told["error"].get("data") or told["error"]}
        content: dict[str, Any] = told["result"].get("structuredContent") or {}
        return content

    @staticmethod
    def _told(answer: httpx2.Response) -> dict[str, Any]:
        """Return the answer's last JSON-RPC message, from JSON or an event stream."""
        lines = [
            line[5:] for line in answer.text.split("\n") if line.startswith("data:") and line[5:].strip()
        ]
        assert lines or answer.text, (answer.status_code, answer.request.content[:300])
        told: dict[str, Any] = json.loads(lines[-1] if lines else answer.text)
        return told

    def close(self) -> None:
        self._http.close()


@contextmanager
def line_to(siege: Siege, server: str, token: str) -> Iterator[Line]:
    line = Line(siege.urls[server], token)
    try:
        yield line
    finally:
        line.close()
