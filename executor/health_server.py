"""Answers `/livez` and `/readyz` over HTTP from the executor's own loop, on loopback unless configured.

Stage: executor → orchestrator, people. An answer at all proves that the loop turns. Nothing is taken
from outside but a path, nothing secret is told, and nobody who asks slowly or often is waited for.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Final

from executor.health import Health
from when_to_invest.errors import ErrorCode, Fault

LIVE: Final = "/livez"
READY: Final = "/readyz"
MOST_AT_ONCE: Final = 16
MOST_BYTES: Final = 4096
WITHIN_S: Final = 2.0


class HealthServer:
    """One listening socket; `url` is known once it is open."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._asking = 0

    @asynccontextmanager
    async def open(self, host: str, port: int, *, told_in: Path) -> AsyncIterator[str]:
        """Listen for the length of the block, and write the address to the file `told_in`.

        Raises:
            Fault: `port_busy`.
        """
        try:
            server = await asyncio.start_server(self._answer, host, port, limit=MOST_BYTES)
        except OSError as error:
            raise Fault(
                ErrorCode.PORT_BUSY,
                f"the health endpoint cannot listen on {host} port {port}",
                fix="choose another operations.health_port",
            ) from error
        url = _url_of(server)
        _tell(told_in, url)
        try:
            yield url
        finally:
            _forget(told_in)
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._asking += 1
        try:
            if self._asking <= MOST_AT_ONCE:
                async with asyncio.timeout(WITHIN_S):
                    request = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self.response(request))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # who does not ask in time, in full or in brief gets no answer
        finally:
            self._asking -= 1
            writer.close()

    def response(self, request: bytes) -> bytes:
        """Return the whole answer to a request's head."""
        method, _, rest = request.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0].decode("ascii", "replace")
        if method != b"GET":
            return _message(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "only GET"})
        if path == LIVE:
            return _message(HTTPStatus.OK, {"live": True})
        if path != READY:
            return _message(HTTPStatus.NOT_FOUND, {"error": f"ask {LIVE} or {READY}"})
        report = self._health.report()
        return _message(
            HTTPStatus.OK if report.is_ready else HTTPStatus.SERVICE_UNAVAILABLE, report.as_json()
        )


def _message(status: HTTPStatus, content: dict[str, object]) -> bytes:
    body = json.dumps(content).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _url_of(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _forget(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _tell(path: Path, url: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"url": url, "pid": os.getpid()}) + "\n", encoding="utf-8")
    fresh.replace(path)
