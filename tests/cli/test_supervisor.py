"""The services as real processes: up, called over HTTP and stdio, crashed, and down."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from cli.identity import Identity, identify
from cli.service_files import read_services, read_supervisor
from cli.service_process import ServiceProcess, ServiceSpec
from home.clock import ReplayClock
from home.paths import HOME_VARIABLE, Home
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore
from tool_servers.access import Callers
from tool_servers.serving import LaunchSecrets
from when_to_invest.errors import Fault

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

PASSPHRASE = "correct horse battery"  # noqa: S105 - planted to be looked for
NOW = datetime(2018, 6, 1, 23, tzinfo=UTC)
PLANTED = {"ANTHROPIC_API_KEY": "planted-llm-key", "AWS_SECRET_ACCESS_KEY": "planted-cloud-key"}
REQUEST = {"instrument": "SPX", "side": "buy", "notional_usd": "5000", "request_id": "r-1"}


def furnished(root: Path) -> Home:
    """Return a home with a sealing key that opens fast, and the passphrase in a file."""
    home = Home(root).make()
    home.keys.mkdir(mode=0o700)
    create_keystore(
        home.keys / "seal.json", passphrase=PASSPHRASE, name="seal", work_factor=LIGHTEST_WORK_FACTOR
    )
    (root / "passphrase").write_text(PASSPHRASE + "\n")
    return home


def command(home: Home, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments, "--home", str(home.root), "--json"],
        env=os.environ | PLANTED,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def up(home: Home) -> dict[str, Any]:
    secret = str(home.root / "passphrase")
    return command(home, "up", "--detach", "--replay-from", "2018-06-01", "--passphrase-file", secret)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = furnished(tmp_path_factory.mktemp("home"))
    told = up(made)
    assert set(told.get("services", told)) == {"market", "orders", "chain", "executor"}
    yield made
    command(made, "down")


def url_of(home: Home, service: str) -> str:
    return next(str(entry.url) for entry in read_services(home) if entry.name == service)


def over_http(home: Home, service: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    async def once() -> dict[str, Any]:
        token = (home.run / "agent.token").read_text().strip()
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
            Client(streamable_http_client(url_of(home, service), http_client=http)) as client,
        ):
            result = await client.call_tool(tool, arguments)
            assert result.structured_content is not None
            return result.structured_content

    return asyncio.run(once())


def over_stdio(home: Home, service: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    async def once() -> dict[str, Any]:
        started = StdioServerParameters(
            command=sys.executable, args=["-m", "cli", "serve", service, "--home", str(home.root)]
        )
        async with Client(started) as client:
            result = await client.call_tool(tool, arguments)
            assert result.structured_content is not None
            return result.structured_content

    return asyncio.run(once())


def until(seen: Callable[[], bool], *, within_s: float = 40.0) -> None:
    deadline = time.monotonic() + within_s
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_every_service_is_up_and_listed(home: Home) -> None:
    listed = command(home, "ps")["services"]
    assert {row["name"]: row["state"] for row in listed} == dict.fromkeys(
        ("market", "orders", "chain", "executor"), "up"
    )


def test_a_second_supervisor_is_refused(home: Home) -> None:
    assert up(home)["error"]["code"] == "already_running"


def test_the_services_answer_over_http(home: Home, record_property: Callable[[str, object], None]) -> None:
    for service, tool, arguments in (
        ("market", "get_snapshot", {"instrument": "SPX"}),
        ("orders", "get_portfolio", {}),
        ("chain", "get_balances", {}),
    ):
        started_s = time.perf_counter()
        assert "error" not in over_http(home, service, tool, arguments)
        record_property(f"{service}_first_http_call_s", round(time.perf_counter() - started_s, 3))


def test_a_proposal_reaches_the_executor(home: Home) -> None:
    told = over_http(home, "orders", "propose_order", REQUEST)
    assert told["verdict"] == "approved"
    assert told["intent"]["proposer"] == "agent"
    look = {"decision_id": told["decision_id"]}
    until(lambda: over_http(home, "orders", "get_order", look)["state"] == "working")


def test_a_desktop_reaches_the_orders_over_a_bridge_that_holds_no_key(
    home: Home, record_property: Callable[[str, object], None]
) -> None:
    started_s = time.perf_counter()
    told = over_stdio(home, "orders", "get_portfolio", {})
    record_property("orders_bridge_spawn_to_answer_s", round(time.perf_counter() - started_s, 3))
    assert told["account"] == "main"
    refused = over_stdio(home, "orders", "propose_order", REQUEST | {"notional_usd": "5100"})
    assert refused["error"]["code"] == "bad_argument"


def test_the_market_server_is_real_over_stdio(
    home: Home, record_property: Callable[[str, object], None]
) -> None:
    started_s = time.perf_counter()
    told = over_stdio(home, "market", "get_snapshot", {"instrument": "SPX"})
    record_property("market_stdio_spawn_to_answer_s", round(time.perf_counter() - started_s, 3))
    assert told["as_of"] == "2018-06-01T23:59:59Z"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads another process's environment")
def test_no_service_inherited_a_secret(home: Home) -> None:
    for entry in read_services(home):
        seen = Path(f"/proc/{entry.pid}/environ").read_bytes()
        names = {pair.partition(b"=")[0].decode() for pair in seen.split(b"\0") if pair}
        assert names <= {"PATH", "HOME", "LANG", "TZ", HOME_VARIABLE, "LC_CTYPE"}
        spoken = Path(f"/proc/{entry.pid}/cmdline").read_bytes()
        assert PASSPHRASE.encode() not in seen + spoken


def test_no_log_or_run_file_holds_a_secret(home: Home) -> None:
    tokens = {(home.run / name).read_text().strip() for name in ("agent.token", "operator.token")}
    others = [path for path in home.run.iterdir() if path.suffix != ".token"]
    text = "".join(path.read_text(errors="replace") for path in others)
    assert not [secret for secret in (PASSPHRASE, *PLANTED.values(), *tokens) if secret in text]
    assert "Traceback" not in text


def test_a_crashed_service_comes_back_at_its_address(home: Home) -> None:
    before = next(entry for entry in read_services(home) if entry.name == "chain")
    os.kill(before.pid, signal.SIGKILL)

    def is_back() -> bool:
        now = next(entry for entry in read_services(home) if entry.name == "chain")
        return now.pid != before.pid and now.restarts == 1

    until(is_back)
    assert url_of(home, "chain") == before.url
    assert "error" not in over_http(home, "chain", "get_balances", {})


def test_down_ends_exactly_what_up_started(home: Home) -> None:
    supervisor = read_supervisor(home)
    running: list[Identity] = [entry.identity for entry in read_services(home)]
    assert supervisor is not None
    assert supervisor.is_running()
    told = command(home, "down")
    assert set(told["ended"]) == {"market", "orders", "chain", "executor"}
    assert not any(identity.is_running() for identity in (supervisor, *running))
    assert identify(os.getpid()).is_running()
    assert not (home.run / "agent.token").exists()
    assert command(home, "ps") == {"services": []}


def test_without_services_a_bridge_says_how_to_start_them(home: Home) -> None:
    told = over_stdio(home, "orders", "get_portfolio", {})
    assert told["error"]["code"] == "service_unavailable"


def test_services_end_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    home = furnished(tmp_path)
    up(home)
    running = [entry.identity for entry in read_services(home)]
    supervisor = read_supervisor(home)
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    assert all(identity.wait_gone(timeout_s=20) for identity in running)


def test_when_one_service_cannot_start_its_error_is_told_and_nothing_stays_up(tmp_path: Path) -> None:
    home = furnished(tmp_path)
    (home.root / "passphrase").write_text("not the passphrase\n")
    assert up(home)["error"]["code"] == "wrong_passphrase"
    assert command(home, "ps") == {"services": []}
    assert read_supervisor(home) is None


@pytest.mark.parametrize("trouble", ["journal_unreadable", "port_busy", "key_missing", "looser_limit"])
def test_a_service_that_cannot_start_says_why_in_one_clear_error(tmp_path: Path, trouble: str) -> None:
    home = furnished(tmp_path)
    ReplayClock(home.clock).move_to(NOW)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1] if trouble == "port_busy" else 0
        match trouble:
            case "journal_unreadable":
                home.journal.write_text("this is no journal")
            case "key_missing":
                (home.keys / "seal.json").unlink()
            case "looser_limit":
                home.config.write_text('[limits]\nmax_order_notional_usd = "1000000"\n')
        orders = ServiceProcess.start(
            ServiceSpec("orders", port, LaunchSecrets(Callers({}), PASSPHRASE)), home
        )
        with pytest.raises(Fault) as error:
            orders.wait_ready()
    orders.end()
    assert error.value.code.value == trouble
    assert "Traceback" not in (home.run / "orders.log").read_text()
