"""Assembles the chain server's process: reads an embedded test chain, holds no key."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from home.paths import Home
from home.settings import read_settings
from policies.limits import HARD_LIMITS, tighten
from tool_servers.chain.embedded import start_chain
from tool_servers.chain.reader import ChainReader
from tool_servers.chain.tools import INSTRUCTIONS, chain_tools
from tool_servers.serving import Address, LaunchSecrets, listen, serve_http, url_of
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from tool_servers.admission import Access
    from tool_servers.assembly import ToolServer

NAME: Final = "chain"


def build(home: Home, *, reader: ChainReader | None = None, access: Access | None = None) -> ToolServer:
    """Return the server of a home; the chain starts with the first question."""
    from tool_servers.assembly import ServerCard, Terms, build_server

    settings = read_settings(home)
    limits = tighten(HARD_LIMITS, settings.limits)
    return build_server(
        ServerCard(NAME, INSTRUCTIONS),
        chain_tools(reader or ChainReader(start_chain), limits=limits),
        terms=Terms(access=access, callers=settings.callers),
    )


def run(home: Home, *, http: Address | None, secrets: LaunchSecrets | None) -> int:
    """Serve over HTTP until the process is told to end; stdio is the bridge's part.

    Raises:
        Fault: `unauthenticated` without HTTP or caller tokens, `port_busy`, or what reading
            the settings raises.
    """
    from tool_servers.admission import access_of
    from tool_servers.assembly import configure_logging

    configure_logging()
    if http is None or secrets is None:
        raise Fault(
            ErrorCode.UNAUTHENTICATED,
            "the chain server is not served without caller tokens",
            fix="use `when-to-invest up`",
        )
    listener = listen(http)
    reader = ChainReader(start_chain)
    access = access_of(home, read_settings(home), server=NAME, url=url_of(listener), callers=secrets.callers)
    server = build(home, reader=reader, access=access)
    threading.Thread(target=reader.warm, name="warm-up", daemon=True).start()
    serve_http(server, listener)
    return 0
