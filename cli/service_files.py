"""What a running set of services leaves below `home.run`: addresses, tokens, and one lock.

Every file is readable by its owner only. The lock, not the files, says whether a
supervisor runs: it ends with the process that holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from cli.identity import Identity
from home.paths import Home
from when_to_invest.errors import ErrorCode, Fault

AGENT_TOKEN: Final = "agent.token"  # noqa: S105 - the name of a file
OPERATOR_TOKEN: Final = "operator.token"  # noqa: S105 - the name of a file
_SERVICES: Final = "services.json"
_SUPERVISOR: Final = "supervisor.json"
_LOCK: Final = "supervisor.lock"
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """One running service as written to `services.json`."""

    name: str
    pid: int
    started: str
    url: str | None
    restarts: int = 0

    @property
    def identity(self) -> Identity:
        """Return which process this is."""
        return Identity(self.pid, self.started)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The bearer tokens of this run."""

    agent: str
    operator: str


def make_run(home: Home) -> Path:
    """Create `home.run` for its owner only and return it."""
    home.make().run.mkdir(mode=0o700, exist_ok=True)
    return home.run


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def make_tokens(home: Home) -> Tokens:
    """Make fresh tokens for this run and write each to its file."""
    tokens = Tokens(agent=secrets.token_urlsafe(_TOKEN_BYTES), operator=secrets.token_urlsafe(_TOKEN_BYTES))
    write_private(make_run(home) / AGENT_TOKEN, tokens.agent + "\n")
    write_private(home.run / OPERATOR_TOKEN, tokens.operator + "\n")
    return tokens


def home_tokens(home: Home) -> Tokens:
    """Return the tokens of the running services; make some when there are none."""
    try:
        agent = (home.run / AGENT_TOKEN).read_text(encoding="utf-8").strip()
        operator = (home.run / OPERATOR_TOKEN).read_text(encoding="utf-8").strip()
    except OSError:
        return make_tokens(home)
    return Tokens(agent=agent, operator=operator)


def write_services(home: Home, entries: tuple[ServiceEntry, ...]) -> None:
    """Write `services.json`: one object a service, with its url (servers only) and pid."""
    listed = {}
    for entry in entries:
        listed[entry.name] = {key: value for key, value in asdict(entry).items() if value is not None}
        del listed[entry.name]["name"]
    write_private(make_run(home) / _SERVICES, json.dumps(listed, indent=2) + "\n")


def read_services(home: Home) -> tuple[ServiceEntry, ...]:
    """Return what `services.json` lists; nothing when it is missing or unreadable."""
    listed = _read(home.run / _SERVICES)
    try:
        return tuple(
            ServiceEntry(
                name=name,
                pid=int(told["pid"]),
                started=str(told.get("started", "")),
                url=told.get("url"),
                restarts=int(told.get("restarts", 0)),
            )
            for name, told in listed.items()
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()


def write_supervisor(home: Home, identity: Identity) -> None:
    """Note which process supervises."""
    write_private(make_run(home) / _SUPERVISOR, json.dumps(asdict(identity)) + "\n")


def read_supervisor(home: Home) -> Identity | None:
    """Return the supervisor that was noted, whether or not it still runs."""
    told = _read(home.run / _SUPERVISOR)
    try:
        return Identity(int(told["pid"]), str(told["started"]))
    except (KeyError, TypeError, ValueError):
        return None


def forget(home: Home) -> None:
    """Remove the addresses and tokens of a run that has ended."""
    for name in (_SERVICES, _SUPERVISOR, AGENT_TOKEN, OPERATOR_TOKEN):
        (home.run / name).unlink(missing_ok=True)


def take_lock(home: Home) -> IO[str]:
    """Hold the home's supervisor lock until the returned file is closed.

    Raises:
        Fault: `already_running` when another process holds it.
    """
    lock = (make_run(home) / _LOCK).open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise Fault(
            ErrorCode.ALREADY_RUNNING,
            "the services of this home are already up",
            fix="see them with `when-to-invest ps`, end them with `when-to-invest down`",
        ) from error
    return lock


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
