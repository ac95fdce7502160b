"""One service as the supervisor sees it: a child with its own environment, group and log.

A child gets exactly the variables named here. It must never inherit the supervisor's
environment: a key that a person exported for one process stays out of the others.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO, Final

from cli.identity import Identity, identify
from cli.service_files import ServiceEntry, make_run
from home.paths import HOME_VARIABLE, Home
from tool_servers.serving import LaunchSecrets
from when_to_invest.errors import ErrorCode, Fault

PASSED_ON: Final = ("PATH", "HOME", "LANG", "TZ")
"""Variables every child may see, besides the home."""
TO_AWS: Final = "AWS_"
TO_LEDGER: Final = "WHEN_TO_INVEST_LEDGER_"
"""Beginnings of the names that let a child into the queue and into the journal's database."""
TO_TOKEN: Final = ("SOFTHSM2_CONF", "YUBIHSM_PKCS11_CONF")
"""Name the file that configures a token's own library; other libraries know theirs. Never a PIN."""
TO_COLLECTOR: Final = "OTEL_"
"""Where traces go, by OpenTelemetry's own variables."""
TO_PEOPLE: Final = "WHEN_TO_INVEST_ALERT_"
"""What signs alerts to a webhook."""
READY_TIMEOUT_S: Final = 60.0
_GRACE_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """What to start: `port` 0 lets the system choose; `secrets` go to its standard input."""

    name: str
    port: int
    secrets: LaunchSecrets
    may_reach_aws: bool = False
    may_reach_ledger: bool = False
    may_reach_token: bool = False
    may_reach_collector: bool = False
    may_reach_people: bool = False

    @property
    def may_reach(self) -> tuple[str, ...]:
        """Return how the names of the credentials begin that this child is given."""
        allowed = (TO_AWS,) * self.may_reach_aws + (TO_LEDGER,) * self.may_reach_ledger
        allowed += (TO_COLLECTOR,) * self.may_reach_collector + (TO_PEOPLE,) * self.may_reach_people
        return (*allowed, *TO_TOKEN) if self.may_reach_token else allowed


@dataclass(frozen=True, slots=True)
class Ready:
    """What a child said when it was up."""

    url: str | None


def child_environment(
    home: Home, parent: Mapping[str, str], *, may_reach: Iterable[str] = ()
) -> dict[str, str]:
    """Return a child's whole environment: fixed names, and those that begin as in `may_reach`."""
    passed = {name: parent[name] for name in PASSED_ON if name in parent}
    passed |= {name: value for name, value in parent.items() if name.startswith(tuple(may_reach))}
    return passed | {HOME_VARIABLE: str(home.root)}


@dataclass(slots=True)
class ServiceProcess:
    """A running child. `start` returns at once; `wait_ready` waits for its first line."""

    spec: ServiceSpec
    home: Home
    identity: Identity
    _child: subprocess.Popen[str]
    _lines: queue.Queue[str] = field(default_factory=queue.Queue)

    @classmethod
    def start(cls, spec: ServiceSpec, home: Home) -> ServiceProcess:
        """Start the child in its own session, hand it its secrets, log to `home.run`."""
        log = make_run(home) / f"{spec.name}.log"
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            child = subprocess.Popen(  # noqa: S603 - our own module, no shell
                [sys.executable, "-m", "cli.supervised", spec.name, str(spec.port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=descriptor,
                env=child_environment(home, os.environ, may_reach=spec.may_reach),
                start_new_session=True,
                text=True,
            )
        finally:
            os.close(descriptor)
        started = cls(spec, home, identify(child.pid), child)
        started._hand_over()
        threading.Thread(target=started._listen, name=f"{spec.name}-lines", daemon=True).start()
        return started

    def _hand_over(self) -> None:
        # Left open on purpose: its end tells the child that this process is gone.
        with contextlib.suppress(BrokenPipeError):
            _pipe(self._child.stdin).write(self.spec.secrets.as_line())
            _pipe(self._child.stdin).flush()

    def _listen(self) -> None:
        for number, line in enumerate(_pipe(self._child.stdout)):
            # Only the first says how the start went; figures may follow for as long as it runs.
            if number == 0:
                self._lines.put(line)
        self._lines.put("")

    def wait_ready(self, *, timeout_s: float = READY_TIMEOUT_S) -> Ready:
        """Wait for the child's ready line.

        Raises:
            Fault: the child's own error, or `service_unavailable` when it ended or stayed
                silent.
        """
        try:
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty:
            raise self._silent("did not become ready") from None
        told = _parsed(line)
        if told.get("ready") is True:
            url = told.get("url")
            return Ready(None if url is None else str(url))
        error = told.get("error")
        if isinstance(error, dict):
            raise _fault_told(error)
        raise self._silent("ended while starting")

    def _silent(self, what: str) -> Fault:
        return Fault(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"the {self.spec.name} service {what}",
            fix=f"read {self.home.run / (self.spec.name + '.log')}",
        )

    def entry(self, ready: Ready, *, restarts: int) -> ServiceEntry:
        """Return what `services.json` says of this child."""
        return ServiceEntry(self.spec.name, self.identity.pid, self.identity.started, ready.url, restarts)

    def has_ended(self) -> bool:
        """Return whether the child ended (and take its exit status off the system)."""
        return self._child.poll() is not None

    def ask_to_end(self) -> None:
        """Close its standard input and send it the end signal."""
        with contextlib.suppress(OSError):
            _pipe(self._child.stdin).close()
        if not self.has_ended():
            self.identity.signal(signal.SIGTERM, is_group=True)

    def end(self, *, grace_s: float = _GRACE_S) -> None:
        """Wait for the child to end; kill its group when it does not."""
        self.ask_to_end()
        try:
            self._child.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            self.identity.signal(signal.SIGKILL, is_group=True)
            self._child.wait()
        _pipe(self._child.stdout).close()


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise Fault(ErrorCode.INTERNAL, "a child was started without pipes", fix="report this")
    return stream


def _parsed(line: str) -> dict[str, object]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _fault_told(error: Mapping[str, object]) -> Fault:
    try:
        code = ErrorCode(str(error.get("code")))
    except ValueError:
        code = ErrorCode.INTERNAL
    return Fault(code, str(error.get("message", "")), fix=str(error.get("fix", "")))
