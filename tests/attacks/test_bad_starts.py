"""What is broken before anything starts: one clear error each, from the command line too."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.demo.stage import plain_environment
from home.clock import ReplayClock
from home.paths import Home
from ledger.sqlite_journal import open_journal
from signing.keystore import create_keystore
from when_to_invest.canonical import utc_text
from when_to_invest.events import AccountFunded
from when_to_invest.values import Mode

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]
PASSPHRASE = "correct horse battery"  # noqa: S105 - of a throw-away key
NOW = datetime(2016, 3, 1, 22, tzinfo=UTC)
FILL = """
import resource, signal, sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from ledger.sqlite_journal import open_journal
from when_to_invest.errors import Fault
from when_to_invest.events import AccountFunded
from when_to_invest.values import Mode

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = open_journal(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    for number in range(100_000):
        journal.append([AccountFunded(at=datetime(2016, 3, 2, tzinfo=UTC), mode=Mode.REPLAY,
                                      account=f"a{number}", cash_usd=Decimal(1))])
except Fault as fault:
    print(fault.code.value)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").make()
    made.keys.mkdir()
    create_keystore(made.keys / "seal.json", passphrase=PASSPHRASE, name="seal")
    ReplayClock(made.clock).move_to(NOW)
    return made


def run(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command of the program with `--json`, as a person's shell would."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments, "--json"],
        env=plain_environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def told_by(home: Home, *arguments: str, passphrase: str = PASSPHRASE) -> dict[str, Any]:
    """Run a command that fails, and return its one error object; FILE holds the passphrase."""
    file = home.root / "passphrase"
    file.touch(mode=0o600)
    file.write_text(passphrase)
    done = run(home, *(str(file) if argument == "FILE" else argument for argument in arguments))
    assert done.returncode in {1, 2, 3}
    assert "Traceback" not in done.stdout + done.stderr
    assert passphrase not in done.stdout + done.stderr
    error: dict[str, Any] = json.loads(done.stdout)["error"]
    assert set(error) == {"code", "message", "fix", "retryable"}
    return error


def test_a_wrong_passphrase_is_one_error_and_nothing_stays_running(home: Home) -> None:
    error = told_by(home, "up", "--detach", "--passphrase-file", "FILE", passphrase="guessed it")  # noqa: S106
    assert error["code"] == "wrong_passphrase"
    assert not (home.run / "services.json").exists()


def test_a_damaged_sealing_key_starts_nothing(home: Home) -> None:
    (home.keys / "seal.json").write_text("{}")
    error = told_by(home, "up", "--detach", "--passphrase-file", "FILE")
    assert error["code"] == "corrupt_data"


def test_a_replay_clock_is_not_turned_back(home: Home) -> None:
    earlier = (NOW - timedelta(days=300)).date().isoformat()
    error = told_by(home, "up", "--detach", "--replay-from", earlier, "--passphrase-file", "FILE")
    assert error["code"] == "bad_argument"
    assert utc_text(NOW)[:10] in error["message"]


@pytest.mark.parametrize("text", ["{", '{"now": "2016-03-01T22:00:00"}'])
def test_a_broken_clock_starts_nothing(home: Home, text: str) -> None:
    home.clock.write_text(text)
    assert told_by(home, "up", "--detach", "--passphrase-file", "FILE")["code"] == "bad_config"


@pytest.mark.parametrize(
    ("config", "code", "named"),
    [
        (
            '[callers.agent.limits]\nmax_order_notional_usd = "99999"\n',
            "looser_limit",
            "callers.agent.limits",
        ),
        ('[callers.agent]\ntools = ["orders.place_order"]\n', "bad_config", "orders.place_order"),
        ('[callers.stranger]\nsubject = "s-1"\n', "bad_config", "stranger"),
    ],
)
def test_a_table_of_a_caller_that_would_loosen_starts_nothing(
    home: Home, config: str, code: str, named: str
) -> None:
    home.config.write_text(config)
    error = told_by(home, "up", "--detach", "--passphrase-file", "FILE")
    assert (error["code"], named in error["message"]) == (code, True)


def test_an_edited_journal_fails_its_check_and_starts_nothing(home: Home) -> None:
    journal = open_journal(home.journal)
    funded = AccountFunded(at=NOW, mode=Mode.REPLAY, account="main", cash_usd=Decimal(100_000))
    journal.append([funded])
    journal.append([funded.model_copy(update={"account": "other"})])
    journal.close()
    edited = home.journal.read_bytes().replace(b"100000", b"900000")
    home.journal.write_bytes(edited)
    assert told_by(home, "up", "--detach", "--passphrase-file", "FILE")["code"] == "journal_corrupt"
    checked = run(home, "journal", "verify")
    assert checked.returncode == 1
    assert json.loads(checked.stdout)["ok"] is False


def test_a_full_disk_is_one_error_and_the_journal_stays_whole(home: Home) -> None:
    journal = open_journal(home.journal)
    journal.append([AccountFunded(at=NOW, mode=Mode.REPLAY, account="main", cash_usd=Decimal(1))])
    before = journal.head()
    journal.close()
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(home.journal)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "storage_failed", done.stderr
    assert "Traceback" not in done.stderr
    assert run(home, "journal", "verify").returncode == 0
    journal = open_journal(home.journal)
    assert journal.head().sequence >= before.sequence
    journal.close()
