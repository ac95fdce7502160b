"""A real SQS-compatible server on loopback, started for one test session and stopped after it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
READY = "Running on"


class ServerDidNotStartError(RuntimeError):
    """The tests that need the server fail; they are never skipped."""


@contextmanager
def sqs_server(
    directory: Path, *, services: str = "sqs", checks_rights: bool = False, port: int = 0
) -> Iterator[str]:
    """Yield the address of a fresh server that holds its state in memory; it has other services too.

    With `checks_rights` every call needs a role that allows it; `test`/`test` is the root.
    """
    port = port or _free_port()
    process = _start(port, directory, {"SERVICES": services} | ({"AUTH": "true"} if checks_rights else {}))
    output = _Output(process)
    try:
        output.await_ready()
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(process)
        output.close()


def _start(port: int, directory: Path, chosen: dict[str, str]) -> subprocess.Popen[str]:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(directory),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "GATEWAY_PORT": str(port),
    } | chosen
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("ministack"))],
        env=environment,
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Output:
    """Drains what the server prints, so that a full pipe never stops it, and looks for `READY`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._stream = process.stdout
        self._said: list[str] = []
        self._has_news = threading.Event()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def await_ready(self) -> None:
        self._has_news.wait(START_TIMEOUT_S)
        if not any(READY in line for line in self._said):
            raise ServerDidNotStartError("".join(self._said[-20:]) or f"silent for {START_TIMEOUT_S} s")

    def close(self) -> None:
        self._thread.join(STOP_TIMEOUT_S)
        if self._stream is not None:
            self._stream.close()

    def _drain(self) -> None:
        for line in self._stream or ():
            self._said.append(line)
            if READY in line:
                self._has_news.set()
        self._has_news.set()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
