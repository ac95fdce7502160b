"""The demo's hands: a throw-away home, the services, the agent's process, and the clock."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from cli.demo.onlooker import Onlooker
from home.paths import HOME_VARIABLE, Home
from when_to_invest.errors import ErrorCode, Fault

APPROVER: Final = "second-key"
EMBEDDED_QUEUE: Final = "visibility_s = 2"
PLAIN_NAMES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
CONFIG: Final = """\
mode = "replay"

[paper]
cash_usd = "100000"
ack_delay_s = {ack_delay_s}

[queue]
{queue}

[services]
executor = "{executor}"

[approvers]
{approver} = "{address}"
"""


def plain_environment(home: Home) -> dict[str, str]:
    """Return an environment that holds no key: a handful of names and the home."""
    kept = {name: os.environ[name] for name in PLAIN_NAMES if name in os.environ}
    return {**kept, HOME_VARIABLE: str(home.root)}


def _not_entered() -> Fault:
    return Fault(ErrorCode.INTERNAL, "the agent was never started", fix="enter the stage first")


class Stage(Onlooker):
    """A home with running services and an agent process; leaving the context ends them all."""

    def __init__(
        self,
        root: Path,
        *,
        start_at: datetime,
        ack_delay_s: float,
        has_executor: bool = True,
        queue: str = EMBEDDED_QUEUE,
        queue_credentials: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(Home(root).make())
        self._queue = queue
        self._queue_credentials = dict(queue_credentials or {})
        self._has_executor = has_executor
        self._start_at = start_at
        self._ack_delay_s = ack_delay_s
        self._passphrases = {name: secrets.token_urlsafe(18) for name in ("seal", APPROVER)}
        self._agent: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._furnish()
        # The agent loads LangGraph while the services start; both take seconds.
        self._agent = subprocess.Popen(
            [sys.executable, "-m", "cli", "chat", "--json"],
            env=plain_environment(self.home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            with self._passphrase_file("seal") as path:
                self.command("up", "--detach", "--passphrase-file", str(path))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._agent is not None:
            # Leaving the context closes its pipes, which ends it, and waits.
            with self._agent:
                pass
        self.command("down")

    def _furnish(self) -> None:
        """Write settings, an approver's key and the clock, as a user would."""
        from cli.approver_keys import keystore_of
        from signing.keystore import create_keystore

        address = create_keystore(
            keystore_of(self.home, APPROVER), passphrase=self._passphrases[APPROVER], name=APPROVER
        )
        self.home.config.write_text(
            CONFIG.format(
                ack_delay_s=self._ack_delay_s,
                queue=self._queue,
                executor="local" if self._has_executor else "elsewhere",
                approver=APPROVER,
                address=address,
            )
        )
        self.clock.move_to(self._start_at)

    @contextmanager
    def _passphrase_file(self, name: str) -> Iterator[Path]:
        """Lend a key's passphrase in a file that only its owner can read, for one command."""
        path = self.home.root / f"{name}.passphrase"
        path.touch(mode=0o600)
        path.write_text(self._passphrases[name])
        try:
            yield path
        finally:
            path.unlink()

    def command(self, *arguments: str) -> dict[str, Any]:
        """Run one `when-to-invest` command with `--json` in its own process.

        Raises:
            Fault: the command's own error.
        """
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "cli", *arguments, "--json"],
            env=plain_environment(self.home) | self._queue_credentials,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            answer: dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {}
        except ValueError as error:
            raise Fault(
                ErrorCode.INTERNAL, f"{arguments[0]} printed no JSON", fix="run the command by hand"
            ) from error
        if "error" in answer:
            told = answer["error"]
            raise Fault(ErrorCode(told["code"]), told["message"], fix=told["fix"])
        return answer

    def ask(self, question: str) -> dict[str, Any]:
        """Put a question to the agent's process and return its answer.

        Raises:
            Fault: the agent's own error, or `internal` when its process ended.
        """
        agent = self._agent
        if agent is None or agent.stdin is None or agent.stdout is None:
            raise _not_entered()
        agent.stdin.write(question + "\n")
        agent.stdin.flush()
        lines = []
        while line := agent.stdout.readline():
            lines.append(line)
            try:
                answer: dict[str, Any] = json.loads("".join(lines))
            except ValueError:
                continue
            if "error" in answer:
                told = answer["error"]
                raise Fault(ErrorCode(told["code"]), told["message"], fix=told["fix"])
            return answer
        raise Fault(ErrorCode.INTERNAL, "the agent's process ended", fix="run `when-to-invest chat` by hand")

    def approve(self, decision_id: str) -> dict[str, Any]:
        """Sign a held decision with the second key, as its owner would."""
        with self._passphrase_file(APPROVER) as path:
            return self.command(
                "approvals", "sign", decision_id, "--as", APPROVER, "--passphrase-file", str(path)
            )

    def passphrases(self) -> tuple[str, ...]:
        """Return the secrets of this throw-away home, for those who check that they stay put."""
        return tuple(self._passphrases.values())

    def agent_pid(self) -> int:
        """Return the process id of the agent; raises `internal` when it was never started."""
        if self._agent is None:
            raise _not_entered()
        return self._agent.pid

    def kill_executor(self) -> int:
        """End the executor with SIGKILL, which it can neither see nor survive."""
        pid = self.executor_pid()
        os.kill(pid, signal.SIGKILL)
        return pid
