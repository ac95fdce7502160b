"""Where the running services are, and the token that opens their tools to the agent.

Reads what the supervisor wrote. It must never start a service, nor read another token.
"""

from __future__ import annotations

import json
from typing import Final

from agents.connections import Remote
from home.paths import Home
from when_to_invest.errors import ErrorCode, Fault

NEEDED: Final = ("market", "orders")
_START: Final = "start the services with `when-to-invest up`"


def running_services(home: Home) -> dict[str, Remote]:
    """Return the services that answer the agent.

    Raises:
        Fault: `service_unavailable` when they are not up.
    """
    try:
        listed = json.loads((home.run / "services.json").read_text(encoding="utf-8"))
        token = (home.run / "agent.token").read_text(encoding="utf-8").strip()
        urls = {name: str(listed[name]["url"]) for name in NEEDED}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Fault(
            ErrorCode.SERVICE_UNAVAILABLE, "the local services are not running", fix=_START
        ) from error
    if not token:
        raise Fault(ErrorCode.UNAUTHENTICATED, "the agent's token is empty", fix=_START)
    return {name: Remote(url, token) for name, url in urls.items()}
