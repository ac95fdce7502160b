"""Who holds what: each real process sees its own few variables and nobody else's secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.demo.stage import Stage

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

ALLOWED = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "VIRTUAL_ENV", "WHEN_TO_INVEST_HOME"}
PLANTED = {
    "AWS_SECRET_ACCESS_KEY": "planted-aws-secret",
    "BINANCE_SECRET": "planted-venue-secret",
    "SEAL_KEY": "planted-sealing-key",
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Services and an agent, started from an environment full of other people's keys."""
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in PLANTED.items():
            patch.setenv(name, secret)
        root = tmp_path_factory.mktemp("home")
        with Stage(root, start_at=datetime(2017, 6, 29, 22, tzinfo=UTC), ack_delay_s=0.0) as running:
            running.ask("Go ahead: propose an order for SPX with 3,000 USD.")
            yield running


def pids(stage: Stage) -> dict[str, int]:
    services = json.loads((stage.home.run / "services.json").read_text())
    return {name: service["pid"] for name, service in services.items()} | {"agent": stage.agent_pid()}


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(entry.decode().split("=", 1) for entry in entries if entry)


@pytest.mark.parametrize("name", ["agent", "market", "orders", "chain", "executor"])
def test_a_process_sees_only_its_own_few_variables(stage: Stage, name: str) -> None:
    environment = environment_of(pids(stage)[name])
    assert set(environment) <= ALLOWED
    assert not set(environment.values()) & set(PLANTED.values())


@pytest.mark.parametrize("name", ["agent", "market", "orders", "chain", "executor"])
def test_no_passphrase_stands_in_a_process_s_environment_or_arguments(stage: Stage, name: str) -> None:
    pid = pids(stage)[name]
    visible = Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
    for secret in stage.passphrases():
        assert secret.encode() not in visible


def test_the_agent_is_no_parent_of_a_process_that_holds_a_key(stage: Stage) -> None:
    agent = stage.agent_pid()
    for name, pid in pids(stage).items():
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        assert parent != agent, name


def test_the_agent_s_loaded_code_holds_no_signer_queue_or_venue(stage: Stage) -> None:
    mapped = Path(f"/proc/{stage.agent_pid()}/maps").read_text()
    for library in ("coincurve", "ckzg", "secp256k1", "botocore"):
        assert library not in mapped


def test_no_secret_reaches_a_log(stage: Stage) -> None:
    tokens = [(stage.home.run / f"{caller}.token").read_text().strip() for caller in ("agent", "operator")]
    for log in stage.home.run.glob("*.log"):
        written = log.read_text()
        for secret in [*stage.passphrases(), *tokens, *PLANTED.values()]:
            assert secret not in written, log.name


def test_no_secret_reaches_the_journal(stage: Stage) -> None:
    written = stage.home.journal.read_bytes()
    for secret in stage.passphrases():
        assert secret.encode() not in written
