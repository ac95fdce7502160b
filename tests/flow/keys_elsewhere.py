"""A home whose keys lie elsewhere: in a token, in a key service behind a line that can fail, in a wallet.

The services are those that users run, started by `up`; proposals come over HTTP with the
agent's own token. No key of this home is a file.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from eth_account import Account

from cli.demo.onlooker import Onlooker, wait_for
from home.paths import HOME_VARIABLE, Home
from tests.contracts.signers import PIN, SO_PIN, SOFTHSM
from tests.tool_servers.open_server import call_tool

TOKEN = "vault"  # noqa: S105 - the token's name
WALLET = Account.from_key(bytes(31) + b"\x2a")
AWS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "planted-secret-of-the-key-service",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_MAKE_KEY = "import sys; from tests.contracts.signers import Token; Token(None).make_key(sys.argv[1])"


def token_place(label: str) -> str:
    return f"pkcs11:token={TOKEN};object={label}?module-path={SOFTHSM}"


class TokenBox:
    """A SoftHSM2 token in a user's own folder, where each process finds it by itself."""

    def __init__(self, user: Path) -> None:
        self.user = user
        self._tokens = user / "tokens"
        self._tokens.mkdir()
        config = user / ".config/softhsm2/softhsm2.conf"
        config.parent.mkdir(parents=True)
        config.write_text(f"directories.tokendir = {self._tokens}\nobjectstore.backend = file\n")
        made = ["--init-token", "--free", "--label", TOKEN, "--so-pin", SO_PIN, "--pin", PIN]
        subprocess.run(["softhsm2-util", *made], check=True, capture_output=True, env=self._environment())

    def make_key(self, label: str) -> None:
        """Make a key, in a process of its own: a library knows one folder of tokens a process."""
        program = _MAKE_KEY.replace("Token(None)", f"Token(None, {TOKEN!r})")
        subprocess.run(
            [sys.executable, "-c", program, label],
            check=True,
            env=self._environment() | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )

    @contextmanager
    def away(self) -> Iterator[None]:
        elsewhere = self._tokens.with_name("away")
        self._tokens.rename(elsewhere)
        try:
            yield
        finally:
            elsewhere.rename(self._tokens)

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", ""), "HOME": str(self.user)}


class Line:
    """A line to a service that can be cut, or swallow whatever is said."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (str(parts.hostname), int(parts.port or 0))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_cut, self._is_silent = False, False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Refuse every call, and drop those in progress."""
        self._is_cut = True
        self._drop()
        try:
            yield
        finally:
            self._is_cut = False

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Take every call and answer none."""
        self._is_silent = True
        self._drop()
        try:
            yield
        finally:
            self._is_silent = False
            self._drop()

    def close(self) -> None:
        self._listener.close()
        self._drop()

    def _drop(self) -> None:
        while self._open:
            _hang_up(self._open.pop())

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                near.close()
                continue
            self._open.append(near)
            if self._is_silent:
                continue
            far = socket.create_connection(self._target)
            self._open.append(far)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while said := source.recv(65_536):
            sink.sendall(said)
    for end in (source, sink):
        _hang_up(end)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@dataclass
class Office(Onlooker):
    """The home, its operator's commands, and the agent's line to the gate."""

    home: Home
    token: TokenBox
    settings: str
    environment: dict[str, str] = field(default_factory=dict)
    secret: str = PIN

    def __post_init__(self) -> None:
        super().__init__(self.home)

    def configure(self, *, seal: str, trusted: str) -> None:
        vault = self.command("keys", "address", token_place("vault-key"), **self.pin())["address"]
        self.home.config.write_text(
            f'mode = "replay"\n[services]\nexecutor = "elsewhere"\n'
            f'[approvers]\nvault = "{vault}"\nwallet = "{WALLET.address}"\n'
            f'[signing]\nseal = "{seal}"\ntrusted_seals = ["{trusted}"]\n{self.settings}\n'
        )

    def seal_with(self, place: str) -> None:
        """Name another sealing key and restart the one process that seals, as after a crash."""
        lines = self.home.config.read_text().splitlines()
        lines = [f'seal = "{place}"' if line.startswith("seal = ") else line for line in lines]
        self.home.config.write_text("\n".join(lines) + "\n")
        former = self.pids()["orders"]
        os.kill(former, signal.SIGKILL)
        wait_for(lambda: self.pids()["orders"] != former or None, what="the orders server")
        wait_for(self._is_up, what="the orders server to answer")

    def _is_up(self) -> bool | None:
        states = {row["name"]: row["state"] for row in self.command("ps")["services"]}
        return states["orders"] == "up" or None

    def pin(self) -> dict[str, Any]:
        return {"secret": self.secret}

    def command(self, *arguments: str, secret: str | None = None, status: int = 0) -> dict[str, Any]:
        """Run one command in its own process; a secret is lent in a file for as long."""
        lent = self.home.root / "lent"
        if secret is not None:
            lent.touch(mode=0o600)
            lent.write_text(secret)
            arguments = (*arguments, "--passphrase-file", str(lent))
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments, "--json"],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        lent.unlink(missing_ok=True)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def run_executor(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "executor", "--until-idle"],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.token.user),
            HOME_VARIABLE: str(self.home.root),
        } | self.environment

    def services(self) -> dict[str, dict[str, Any]]:
        told: dict[str, dict[str, Any]] = json.loads((self.home.run / "services.json").read_text())
        return told

    def pids(self) -> dict[str, int]:
        return {name: int(service["pid"]) for name, service in self.services().items()}

    def propose(self, request_id: str, notional_usd: int, *, instrument: str = "SPX") -> Any:
        token = (self.home.run / "agent.token").read_text().strip()
        asked = {"instrument": instrument, "side": "buy", "notional_usd": str(notional_usd)}
        url = self.services()["orders"]["url"]
        return call_tool(url, token, "propose_order", request_id=request_id, **asked)

    def sign_in_the_vault(self, subject: str) -> dict[str, Any]:
        key = ("--key", token_place("vault-key"))
        return self.command("approvals", "sign", subject, "--as", "vault", *key, **self.pin())

    def sign_with_the_wallet(self, subject: str) -> dict[str, Any]:
        """Carry the document to a wallet that is no part of this machine, and its answer back."""
        path = self.home.root / "document.json"
        self.command_that_writes(path, "approvals", "export", subject)
        signed = Account.sign_typed_data(WALLET.key, full_message=json.loads(path.read_text()))
        by_hand = ("--signature", "0x" + signed.signature.hex())
        return self.command("approvals", "import", subject, str(path), "--as", "wallet", *by_hand)

    def command_that_writes(self, path: Path, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "cli", *arguments, "--out", str(path)],
            env=self._environment(),
            check=True,
        )

    def next_day(self, days: Iterator[datetime]) -> None:
        self.clock.move_to(next(days))
