"""How a server meets its callers: streamable HTTP on loopback, or stdio.

The one place that binds a socket, watches for the end signal and says "ready". It never
listens on anything but 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

from tool_servers.access import Callers
from tool_servers.doors import LARGEST_REQUEST_BYTES
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    import uvicorn

    from tool_servers.assembly import ToolServer

LOOPBACK: Final = "127.0.0.1"
_GRACE_S: Final = 3
_LARGEST_PORT: Final = 65_535
_LONGEST_SECRETS: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 lets the system choose."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class LaunchSecrets:
    """What a process is handed on stdin when it starts, and nowhere else."""

    callers: Callers
    passphrase: str | None = field(default=None, repr=False)

    def as_line(self) -> str:
        """Return the one JSON line that `read_secrets` reads."""
        told: dict[str, Any] = {"callers": dict(self.callers.by_token_hash)}
        if self.passphrase is not None:
            told["passphrase"] = self.passphrase
        return json.dumps(told) + "\n"


def read_secrets(stream: IO[str]) -> LaunchSecrets:
    """Read the launch secrets: one JSON line `{"passphrase": ..., "callers": {hash: name}}`.

    Raises:
        Fault: `bad_argument` when the line is something else; its content is never shown.
    """
    line = stream.readline(_LONGEST_SECRETS)
    try:
        told = json.loads(line)
        callers = {str(known): str(name) for known, name in told["callers"].items()}
        passphrase = told.get("passphrase")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "the launch secrets on standard input are not the expected JSON line",
            fix="start this process with `when-to-invest up`",
        ) from None
    return LaunchSecrets(Callers(callers), None if passphrase is None else str(passphrase))


def parse_address(text: str) -> Address:
    """Parse `HOST:PORT`; the host is loopback, the port 0 to 65535.

    Raises:
        Fault: `bad_argument`.
    """
    host, _, port = text.rpartition(":")
    if host not in {LOOPBACK, "localhost"} or not port.isdigit() or int(port) > _LARGEST_PORT:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{text!r} is no address these servers may listen on",
            fix=f"give {LOOPBACK}:PORT, with port 0 for any free one",
        )
    return Address(LOOPBACK, int(port))


def listen(address: Address) -> socket.socket:
    """Bind a listening socket on loopback.

    Raises:
        Fault: `bad_argument` for another host, `port_busy` when the port is taken.
    """
    if address.host != LOOPBACK:
        raise Fault(ErrorCode.BAD_ARGUMENT, "only loopback is served", fix=f"use {LOOPBACK}")
    # With the protocol named, asyncio sets TCP_NODELAY; without it every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise Fault(
                ErrorCode.PORT_BUSY,
                f"port {address.port} cannot be taken",
                fix="stop the program that listens there, or choose port 0",
            ) from error
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the MCP address of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}/mcp"


def announce(**facts: object) -> None:
    """Print one JSON line for whoever started this process."""
    sys.stdout.write(json.dumps({"ready": True, **facts}) + "\n")
    sys.stdout.flush()


def serve_http(
    server: ToolServer,
    listener: socket.socket,
    *,
    background: Callable[[], Awaitable[None]] | None = None,
    on_ready: Callable[[str], None] = lambda url: announce(url=url),
) -> None:
    """Serve stateless streamable HTTP until a signal ends it; `background` runs alongside."""
    asyncio.run(_serve(server, listener, background=background, on_ready=on_ready))


async def _serve(
    server: ToolServer,
    listener: socket.socket,
    *,
    background: Callable[[], Awaitable[None]] | None,
    on_ready: Callable[[str], None],
) -> None:
    import uvicorn

    url = url_of(listener)

    class Announced(uvicorn.Server):
        """Says when it listens, and ends on a signal without raising it again."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if self.started:
                on_ready(url)

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    web = Announced(_web_config(server))
    _end_on_signals(web)
    async with _alongside(background, end=lambda: setattr(web, "should_exit", True)):
        await web.serve(sockets=[listener])


def _web_config(server: ToolServer) -> uvicorn.Config:
    import uvicorn

    from tool_servers.patience import PatientProtocol

    app = server.streamable_http_app(
        stateless_http=True,
        # Only an event stream carries progress, and tells the server that its caller is gone.
        json_response=not server.has_long_calls,
        host=LOOPBACK,
        max_request_body_size=LARGEST_REQUEST_BYTES,
    )
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        http=PatientProtocol,
        timeout_graceful_shutdown=_GRACE_S,
        server_header=False,
    )


@contextlib.asynccontextmanager
async def _alongside(
    background: Callable[[], Awaitable[None]] | None, *, end: Callable[[], None]
) -> AsyncIterator[None]:
    """Keep `background` running inside the block, and end it with the block.

    One that dies calls `end`: a server without it would look well and do half its work.

    Raises:
        Fault: `internal` when it died.
    """
    if background is None:
        yield
        return
    running = asyncio.ensure_future(background())
    running.add_done_callback(lambda _: end())
    try:
        yield
    finally:
        running.cancel()
        (outcome,) = await asyncio.gather(running, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise Fault(
            ErrorCode.INTERNAL,
            f"what the server does by itself ended with {type(outcome).__name__}",
            fix="start the services again; report this defect if it ends again",
        ) from outcome


def _end_on_signals(web: Any) -> None:
    def end() -> None:
        web.should_exit = True

    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
