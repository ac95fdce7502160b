"""The local exchange as a process of its own: it says where it is, takes commands, and ends."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.architecture.sources import ROOT

LONGEST_S = 20


@contextmanager
def process(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [sys.executable, "-m", "tests.exchange", "--with-parent", *words]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            yield running, json.loads(running.stdout.readline())
        finally:
            running.kill()


def asked(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=LONGEST_S) as reply:  # noqa: S310
        return json.load(reply)


def test_it_serves_takes_commands_and_ends_with_its_parent() -> None:
    with process("--dialect", "binance") as (running, ready):
        url = ready["url"]
        assert asked(f"{url}/api/v3/depth?symbol=BTCUSDT")["bids"][0] == ["99.50000000", "1.00000000"]
        assert asked(f"{url}/control/clock", {"skew_ms": -(10**9)})["now_ms"] > 0
        crowd = {"symbol": "BTC/USDT", "side": "buy", "quantity": "1", "price": "99.90"}
        assert asked(f"{url}/control/crowd", crowd)["filled"] == "0"
        asked(f"{url}/control/mishaps", {"kind": "rate_limited", "where": "GET */time"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            asked(f"{url}/api/v3/time")
        refused.value.close()
        assert (refused.value.code, refused.value.headers["Retry-After"]) == (429, "1")
        assert asked(f"{url}/control/happened") == [{"kind": "rate_limited", "place": "GET /api/v3/time"}]
        assert asked(f"{url}/control/truth")["orders"] == []
        assert running.stdin is not None
        running.stdin.close()
        assert running.wait(LONGEST_S) == 0


def test_it_ends_by_a_signal() -> None:
    with process("--dialect", "kraken") as (running, ready):
        assert asked(f"{ready['url']}/0/public/SystemStatus")["result"]["status"] == "online"
        running.terminate()
        assert running.wait(LONGEST_S) == 0


def test_it_ends_when_its_time_is_up() -> None:
    with process("--dialect", "binance", "--most-seconds", "0.1") as (running, _):
        assert running.wait(LONGEST_S) == 0
