"""Assembles the market server's process. It needs no key and opens no journal or queue."""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING, Final

from home.paths import Home
from home.settings import read_settings
from tool_servers.serving import Address, LaunchSecrets, listen, serve_http, url_of
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from tool_servers.admission import Access
    from tool_servers.assembly import ToolServer

NAME: Final = "market"
WARM_UP_AFTER_S: Final = 0.5
_HEAVY: Final = (
    "when_to_invest.decision.recommend",
    "market_data.source",
    "market_data.archive",
)
"""Imports that only an analysis needs, made while nobody waits for them."""


def build(home: Home, *, access: Access | None = None) -> ToolServer:
    """Return the server over a home; nothing heavy is imported by that."""
    from tool_servers.assembly import ServerCard, Terms, build_server
    from tool_servers.market.desk import analyst_of
    from tool_servers.market.tools import INSTRUCTIONS, market_tools

    settings = read_settings(home)
    return build_server(
        ServerCard(NAME, INSTRUCTIONS),
        market_tools(analyst_of(home, settings)),
        terms=Terms(access=access, callers=settings.callers),
    )


def run(home: Home, *, http: Address | None = None, secrets: LaunchSecrets | None = None) -> int:
    """Serve until the process is told to end: over stdio, or over HTTP with caller tokens.

    Raises:
        Fault: `port_busy`, `unauthenticated` when HTTP is asked for without callers, or
            what reading the settings raises.
    """
    from tool_servers.admission import access_of
    from tool_servers.assembly import configure_logging

    configure_logging()
    if http is None:
        server = build(home)
        _warm_up()
        server.run("stdio")
        return 0
    if secrets is None:
        raise Fault(
            ErrorCode.UNAUTHENTICATED,
            "HTTP is not served without caller tokens",
            fix="use `when-to-invest up`",
        )
    listener = listen(http)
    access = access_of(home, read_settings(home), server=NAME, url=url_of(listener), callers=secrets.callers)
    server = build(home, access=access)
    _warm_up()
    serve_http(server, listener)
    return 0


def _warm_up() -> None:
    """Import the analysis in the background, so that the first question does not wait for it."""

    def load() -> None:
        for name in _HEAVY:
            importlib.import_module(name)

    # Not at once: whoever started this process is about to ask something light.
    later = threading.Timer(WARM_UP_AFTER_S, load)
    later.daemon = True
    later.start()
