"""Leave to trade live is given from the command line, by a quorum, for exactly these limits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from executor.main import run as run_executor
from home.paths import Home
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore, unlock_keystore
from tool_servers.orders.main import open_desk
from when_to_invest.errors import ErrorCode, Fault

PASSPHRASE = "of one test"  # noqa: S105 - opens keys made for it
LIVE = """
[venues.kraken]
exchange = "kraken"
sandbox = false
symbols = {"BTC-USD" = "BTC/USD"}
"""


@dataclass
class Office:
    """A live home with two founders whose keys lie here."""

    home: Home
    capture: pytest.CaptureFixture[str]
    passphrase: Path

    def run(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        self.capture.readouterr()
        assert main([*arguments, "--home", str(self.home.root), "--json"]) == status
        told: dict[str, Any] = json.loads(self.capture.readouterr().out)
        return told

    def sign(self, name: str, *arguments: str, status: int = 0) -> dict[str, Any]:
        return self.run(
            *("limits", "sign", "kraken", "--as", name, "--passphrase-file", str(self.passphrase)),
            *arguments,
            status=status,
        )

    def starts(self) -> ErrorCode:
        """Return why the executor does not start."""
        with pytest.raises(Fault) as raised:
            run_executor(self.home, until_idle=True)
        return raised.value.code


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Office:
    for part in ("KEY", "SECRET"):
        monkeypatch.setenv(f"WHEN_TO_INVEST_VENUE_KRAKEN_{part}", "bG9jYWw=")
    home = Home(tmp_path / "home").make()
    lines = ['mode = "live"', 'venue = "kraken"', "[approvers]"]
    for name in ("alice", "bob"):
        path = home.keys / f"approver-{name}.json"
        address = create_keystore(path, passphrase=PASSPHRASE, name=name, work_factor=LIGHTEST_WORK_FACTOR)
        lines.append(f'{name} = "{address}"')
    home.config.write_text("\n".join(lines) + LIVE)
    seal = home.keys / "seal.json"
    create_keystore(seal, passphrase=PASSPHRASE, name="seal", work_factor=LIGHTEST_WORK_FACTOR)
    opened = open_desk(home, signer=unlock_keystore(seal, passphrase=PASSPHRASE))
    opened.journal.close()
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE)
    secret.chmod(0o600)
    return Office(home, capsys, secret)


def test_two_people_allow_what_one_cannot_and_any_change_to_the_limits_takes_it_back(office: Office) -> None:
    assert office.run("limits", "show", "kraken")["is_allowed"] is False
    first = office.sign("alice", "--days", "3")
    assert (first["is_allowed"], first["signed"], first["needed"]) == (False, ["alice"], 2)
    second = office.sign("bob")
    assert (second["is_allowed"], second["signed"], second["until"]) == (
        True,
        ["alice", "bob"],
        first["until"],
    )
    assert office.run("limits", "show", "kraken") == second
    config = office.home.config.read_text()
    office.home.config.write_text(config + '[limits]\nmax_order_notional_usd = "100"\n')
    changed = office.run("limits", "show", "kraken")
    assert changed["is_allowed"] is False
    assert changed["limits_hash"] != second["limits_hash"]


def test_a_live_executor_does_not_start_without_a_signed_limits_file(office: Office) -> None:
    assert office.starts() is ErrorCode.BAD_APPROVAL
    path = office.home.licence("kraken")
    path.parent.mkdir()
    path.write_text("{}")
    assert office.starts() is ErrorCode.BAD_APPROVAL


def test_a_live_executor_does_not_start_with_half_a_quorum(office: Office) -> None:
    office.sign("alice")
    assert office.starts() is ErrorCode.BAD_APPROVAL


def test_who_asks_cannot_sign_and_a_sandbox_needs_no_leave(office: Office) -> None:
    assert office.sign("alice", "--by", "alice", status=1)["error"]["code"] == "bad_approval"
    office.home.config.write_text(office.home.config.read_text().replace("sandbox = false", "sandbox = true"))
    assert office.sign("alice", status=2)["error"]["code"] == "bad_argument"
