"""The supervisor: starts the local services, each with only its own environment, and minds them.

It asks for the keystore passphrase once and hands it to the orders server alone, the one
process that seals. It must never act on an order itself, and never end a process whose
identity it did not write down.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from cli.identity import identify
from cli.restarts import RestartBudget
from cli.service_files import (
    ServiceEntry,
    Tokens,
    forget,
    make_run,
    make_tokens,
    read_services,
    read_supervisor,
    take_lock,
    write_services,
    write_supervisor,
)
from cli.service_process import READY_TIMEOUT_S, Ready, ServiceProcess, ServiceSpec
from home.settings import QueueKind, Settings, read_settings
from tool_servers.access import OPERATOR, Callers, token_hash
from tool_servers.serving import LaunchSecrets
from when_to_invest.errors import EXIT_OK, ErrorCode, Fault
from when_to_invest.values import Mode

if TYPE_CHECKING:
    from home.paths import Home

AGENT: Final = "agent"
SEAL_KEY: Final = "seal.json"
_POLL_S: Final = 0.2
_DOWN_TIMEOUT_S: Final = 20.0
Announce = Callable[[tuple[ServiceEntry, ...]], None]


def service_specs(settings: Settings, *, passphrase: str, tokens: Tokens) -> tuple[ServiceSpec, ...]:
    """Return what to start: each service with the secrets it needs and no others."""
    agent = {token_hash(tokens.agent): AGENT}
    both = agent | {token_hash(tokens.operator): OPERATOR}
    reach = {
        "may_reach_aws": settings.queue.kind is QueueKind.SQS,
        "may_reach_ledger": bool(settings.ledger.url),
    }
    signing = settings.signing
    sealing = reach | {"may_reach_token": signing.uses_token, "may_reach_collector": True}
    sealing["may_reach_aws"] |= signing.uses_aws
    ports = settings.services
    servers = (
        ServiceSpec("market", ports.market_port, LaunchSecrets(Callers(agent))),
        ServiceSpec("orders", ports.orders_port, LaunchSecrets(Callers(both), passphrase), **sealing),
        ServiceSpec("chain", ports.chain_port, LaunchSecrets(Callers(agent))),
    )
    if ports.executor == "elsewhere":
        return servers
    told = settings.operations
    reach["may_reach_aws"] |= bool(told.sns_topic_arn)
    telling = {"may_reach_collector": True, "may_reach_people": bool(told.webhook_url)}
    return (*servers, ServiceSpec("executor", 0, LaunchSecrets(Callers({})), **reach, **telling))


@dataclass(slots=True)
class _Minded:
    process: ServiceProcess
    ready: Ready
    budget: RestartBudget = field(default_factory=RestartBudget)
    restarts: int = 0
    restart_at_s: float | None = None
    is_given_up: bool = False


class Supervisor:
    """Starts every service, restarts what crashes, and ends them all with itself."""

    def __init__(self, home: Home, specs: tuple[ServiceSpec, ...]) -> None:
        self._home = home
        self._specs = specs
        self._minded: dict[str, _Minded] = {}
        self._is_ending = threading.Event()

    def end(self) -> None:
        """Let `mind` return; safe to call from a signal handler."""
        self._is_ending.set()

    def start(self) -> tuple[ServiceEntry, ...]:
        """Start all services and wait until each is ready.

        Raises:
            Fault: the first service's error; whatever had started is ended again.
        """
        started = [ServiceProcess.start(spec, self._home) for spec in self._specs]
        try:
            for process in started:
                self._minded[process.spec.name] = _Minded(process, process.wait_ready())
        except Fault:
            _end_all(started)
            raise
        return self._write()

    def mind(self) -> None:
        """Watch the services until `end` is called; then end them."""
        try:
            while not self._is_ending.wait(_POLL_S):
                for minded in self._minded.values():
                    self._look_at(minded, now_s=time.monotonic())
        finally:
            _end_all([minded.process for minded in self._minded.values()])

    def _look_at(self, minded: _Minded, *, now_s: float) -> None:
        if minded.is_given_up or not minded.process.has_ended():
            return
        if minded.restart_at_s is None:
            pause_s = minded.budget.next_pause_s(now_s)
            minded.is_given_up = pause_s is None
            minded.restart_at_s = None if pause_s is None else now_s + pause_s
            self._write()
        elif now_s >= minded.restart_at_s:
            self._restart(minded)

    def _restart(self, minded: _Minded) -> None:
        spec = minded.process.spec
        kept = replace(spec, port=_port_of(minded.ready, spec))
        minded.restart_at_s = None
        minded.restarts += 1
        minded.process.end()
        minded.process = ServiceProcess.start(kept, self._home)
        try:
            minded.ready = minded.process.wait_ready()
        except Fault as fault:
            sys.stderr.write(f"{spec.name} did not restart: {fault.code.value}: {fault.message}\n")
            minded.process.end()
        self._write()

    def _write(self) -> tuple[ServiceEntry, ...]:
        entries = tuple(
            minded.process.entry(minded.ready, restarts=minded.restarts) for minded in self._minded.values()
        )
        write_services(self._home, entries)
        return entries


def _end_all(processes: list[ServiceProcess]) -> None:
    for process in processes:
        process.ask_to_end()
    for process in processes:
        process.end()


def _port_of(ready: Ready, spec: ServiceSpec) -> int:
    """Return the port the service had, so that its address outlives a restart."""
    if ready.url is None:
        return spec.port
    return int(ready.url.removesuffix("/mcp").rpartition(":")[2])


def run(home: Home, *, passphrase: str, announce: Announce) -> int:
    """Supervise in the foreground until a signal; everything started has ended on return.

    Raises:
        Fault: `already_running`, or what kept a service from starting.
    """
    settings = read_settings(home)
    with take_lock(home):
        specs = service_specs(settings, passphrase=passphrase, tokens=make_tokens(home))
        supervisor = Supervisor(home, specs)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.end())
        try:
            write_supervisor(home, identify(os.getpid()))
            announce(supervisor.start())
            supervisor.mind()
        finally:
            forget(home)
    return EXIT_OK


def run_detached(home: Home, *, passphrase: str) -> int:
    """Supervise as a background process: one ready line on standard output, then silence."""
    from tool_servers.serving import announce

    return run(home, passphrase=passphrase, announce=lambda entries: announce(services=len(entries)))


def detach(home: Home, *, passphrase: str) -> tuple[ServiceEntry, ...]:
    """Start a supervisor that outlives this process; return once its services are ready.

    Raises:
        Fault: whatever kept it from starting.
    """
    secrets = LaunchSecrets(Callers({}), passphrase)
    spec = ServiceSpec(
        "supervisor",
        0,
        secrets,
        may_reach_aws=True,
        may_reach_ledger=True,
        may_reach_token=True,
        may_reach_collector=True,
        may_reach_people=True,
    )
    process = ServiceProcess.start(spec, home)
    try:
        process.wait_ready(timeout_s=2 * READY_TIMEOUT_S)
    except Fault:
        process.end(grace_s=_DOWN_TIMEOUT_S)
        raise
    return read_services(home)


def down(home: Home) -> tuple[str, ...]:
    """End the supervisor of this home and whatever it left; return the names that ran.

    Only processes whose pid and start time were written down are ended.
    """
    entries = tuple(entry for entry in read_services(home) if entry.identity.is_running())
    supervisor = read_supervisor(home)
    if supervisor is not None and supervisor.signal(signal.SIGTERM):
        supervisor.wait_gone(timeout_s=_DOWN_TIMEOUT_S)
        supervisor.signal(signal.SIGKILL)
    for entry in entries:
        # Normally gone by now: services end with their supervisor.
        entry.identity.signal(signal.SIGTERM, is_group=True)
    for entry in entries:
        if not entry.identity.wait_gone(timeout_s=_DOWN_TIMEOUT_S):
            entry.identity.signal(signal.SIGKILL, is_group=True)
    if home.run.exists():
        with take_lock(home):
            forget(home)
    return tuple(entry.name for entry in entries)


def prepare(home: Home, *, replay_from: str | None) -> None:
    """Check settings, lock and clock before anything is asked or started.

    Raises:
        Fault: `already_running`, `mode_mismatch` when a replay is asked of another mode,
            `bad_config` when a replay home has no clock yet, or what the settings raise.
    """
    from home.clock import ReplayClock, clock_of

    settings = read_settings(home)
    take_lock(home).close()
    if replay_from is not None:
        from market_data.source import parse_as_of

        if settings.mode is not Mode.REPLAY:
            raise Fault(
                ErrorCode.MODE_MISMATCH,
                f"this home runs in mode {settings.mode.value}, which has no replay clock",
                fix='set mode = "replay" in config.toml, or leave --replay-from out',
            )
        ReplayClock(home.clock).move_to(parse_as_of(replay_from))
    clock_of(home, settings.mode).now()


def ensure_seal_key(home: Home, *, passphrase: str) -> None:
    """Create the gate's sealing key on first use, when it is this home's own keystore."""
    from home.signing import KEYSTORE
    from signing.keystore import create_keystore

    path = home.keys / SEAL_KEY
    if read_settings(home).signing.seal == KEYSTORE and not path.exists():
        make_run(home)
        create_keystore(path, passphrase=passphrase, name="seal")
