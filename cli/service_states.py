"""How each started service is: what `ps` and `doctor` show. It starts and ends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from cli.service_files import ServiceEntry, read_services

if TYPE_CHECKING:
    from home.paths import Home


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What `ps` shows of a service: `up`, `not answering` or `down`."""

    entry: ServiceEntry
    state: str


def states(home: Home) -> tuple[ServiceState, ...]:
    """Return the state of every service that was started; nothing when none was."""
    return tuple(ServiceState(entry, _state_of(home, entry)) for entry in read_services(home))


def _state_of(home: Home, entry: ServiceEntry) -> str:
    if not entry.identity.is_running():
        return "down"
    if entry.name == "executor":
        return _state_of_executor(home)
    if entry.url is None or _is_healthy(entry.url):
        return "up"
    return "not answering"


def _state_of_executor(home: Home) -> str:
    """Return "up" when it is ready, or what it says keeps it from being so."""
    from executor.health_check import told

    is_ready, says = told(home.run)
    checks = says.get("checks")
    if is_ready or not isinstance(checks, dict):
        return "up" if is_ready else "not answering"
    return "not ready: " + ", ".join(f"{name} {found}" for name, found in checks.items() if found != "ok")


def _is_healthy(url: str) -> bool:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url.removesuffix("/mcp") + "/healthz", timeout=2) as answer:  # noqa: S310 - loopback
            return bool(answer.status == HTTPStatus.OK)
    except (OSError, urllib.error.URLError):
        return False
