"""The command line as scripts meet it: stable keys, exit statuses, one clear error."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from home.paths import Home
from ledger.journal_schema import latest
from ledger.sqlite_journal import open_journal
from tests.ledger.earlier import write_version_1
from tests.ledger.journals import drill
from when_to_invest.events import AccountFunded
from when_to_invest.values import Mode

RECOMMENDATION_KEYS = {
    "id", "instrument", "as_of", "action", "size_fraction", "schedule", "horizon_days", "p_up", "p_drop",
    "return_interval", "sigma_annual", "risk", "breakers", "evidence", "invalidation", "expires_at",
    "snapshot_hash", "code_version", "seed",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").make()


class Shell:
    """Runs command lines against one home and keeps what they printed."""

    def __init__(self, home: Home, capture: pytest.CaptureFixture[str]) -> None:
        self._home = home
        self._capture = capture

    def run(self, *arguments: str) -> tuple[int, str, str]:
        self._capture.readouterr()
        status = main([*arguments, "--home", str(self._home.root)])
        printed = self._capture.readouterr()
        return status, printed.out, printed.err

    def json(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        status, out, _ = self.run(*arguments, "--json")
        return status, json.loads(out)


@pytest.fixture
def shell(home: Home, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(home, capsys)


def journal_with_events(home: Home) -> None:
    journal = open_journal(home.journal)
    for day in range(1, 6):
        event = AccountFunded.model_validate_json(
            f'{{"at": "2017-06-0{day}T22:00:00Z", "mode": "replay", "account": "main", "cash_usd": "{day}"}}'
        )
        assert event.mode is Mode.REPLAY
        journal.append([event])
    journal.close()


def test_a_recommendation_has_every_promised_key(shell: Shell) -> None:
    status, answer = shell.json("recommend", "SPX", "--as-of", "2018-12-24")
    assert status == 0
    assert answer.keys() >= RECOMMENDATION_KEYS
    assert answer["instrument"] == "SPX"
    assert answer["as_of"].startswith("2018-12-24")


def test_the_same_question_gives_identical_bytes(shell: Shell) -> None:
    first = shell.run("recommend", "SPX", "--as-of", "2018-12-24", "--json")
    assert shell.run("recommend", "SPX", "--as-of", "2018-12-24", "--json") == first


def test_a_recorded_recommendation_replays_to_the_byte(shell: Shell) -> None:
    _, answer = shell.json("recommend", "SPX", "--as-of", "2018-12-24")
    status, replayed = shell.json("replay", answer["id"])
    assert status == 0
    assert replayed["reproduced"] is True
    assert replayed["snapshot_hash"] == answer["snapshot_hash"]


def test_what_is_held_changes_the_answer_and_replays_with_it(shell: Shell) -> None:
    _, free = shell.json("recommend", "SPX", "--as-of", "2017-06-30")
    status, held = shell.json("recommend", "SPX", "--as-of", "2017-06-30", "--held", "0.9")
    assert status == 0
    assert (free["action"], held["action"]) == ("invest_now", "hold")
    assert (held["held_fraction"], held["target_fraction"], held["size_fraction"]) == (0.9, 0.9, 0.0)
    assert held["id"] != free["id"]
    assert shell.json("replay", held["id"])[1]["reproduced"] is True
    _, card, _ = shell.run("recommend", "SPX", "--as-of", "2017-06-30", "--held", "0.9")
    assert "hold what you have" in card
    assert "90.0 % of the budget is held" in card
    _, card, _ = shell.run("recommend", "SPX", "--as-of", "2017-06-30", "--held", "0.3")
    assert "70.0 % more of the budget" in card


def test_a_tampered_recommendation_does_not_replay(shell: Shell, home: Home) -> None:
    _, answer = shell.json("recommend", "SPX", "--as-of", "2018-12-24")
    (record,) = home.recommendations.rglob("*.json")
    record.chmod(0o600)
    record.write_text(record.read_text().replace('"seed":0', '"seed":1'))
    status, told = shell.json("replay", answer["id"])
    assert status in {1, 2}
    assert told["error"]["code"] in {"not_reproduced", "corrupt_data"}


def test_a_budget_is_shared_out_in_whole_cents(shell: Shell) -> None:
    _, answer = shell.json("recommend", "SPX", "--as-of", "2017-06-30", "--budget", "10000.01")
    assert answer["budget"]["budget_usd"] == "10000.01"
    assert float(answer["budget"]["invest_usd"]) <= 10000.01


def test_people_get_a_card_with_the_answer_first(shell: Shell) -> None:
    status, out, _ = shell.run("recommend", "SPX", "--as-of", "2018-12-24")
    assert status == 0
    assert out.index("Is now the time?") < out.index("odds of a fall of") < out.index("What would change it")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("recommend", "NOPE"), "unknown_instrument"),
        (("recommend", "SPX", "--as-of", "1980-01-01"), "as_of_before_data"),
        (("recommend", "SPX", "--as-of", "soon"), "bad_argument"),
        (("recommend", "SPX", "--budget", "-5"), "bad_amount"),
        (("recommend", "SPX", "--budget", "NaN"), "bad_amount"),
        (("recommend", "SPX", "--budget", "1e40"), "bad_amount"),
        (("recommend", "SPX", "--horizon", "0d"), "bad_argument"),
        (("recommend", "SPX", "--held", "1.2"), "bad_argument"),
        (("recommend", "SPX", "--no-such-option"), "bad_argument"),
        (("replay", "r-000000000000000000000000"), "unknown_recommendation"),
        (("replay", "../../etc/passwd"), "unknown_recommendation"),
        (("status", "d-000000000000000000000000"), "unknown_decision"),
        (("approvals", "show", "d-000000000000000000000000"), "unknown_decision"),
        (("journal", "verify"), "journal_unreadable"),
        (("data", "import", "missing.csv", "--instrument", "X", "--interval", "1d"), "bad_argument"),
        (("chat", "--once", "Is now the time?"), "bad_argument"),
    ],
)
def test_bad_input_gets_one_clear_error(shell: Shell, arguments: tuple[str, ...], code: str) -> None:
    status, told = shell.json(*arguments)
    assert status == 2
    assert told["error"]["code"] == code
    assert told["error"]["message"]
    assert told["error"]["fix"]


def test_asking_without_services_says_how_to_start_them(shell: Shell) -> None:
    status, told = shell.json("chat", "--once", "Is now the time for SPX?")
    assert status == 3
    assert told["error"]["code"] == "service_unavailable"
    assert "up" in told["error"]["fix"]


def test_an_unknown_configuration_key_is_named(shell: Shell, home: Home) -> None:
    home.config.write_text("[limits]\nmax_ordr_notional_usd = 5\n")
    status, told = shell.json("doctor")
    assert status == 1
    (settings,) = (check for check in told["checks"] if check["name"] == "settings")
    assert "max_ordr_notional_usd" in settings["found"]


def test_a_clean_journal_verifies_and_exports_every_event(shell: Shell, home: Home) -> None:
    journal_with_events(home)
    status, told = shell.json("journal", "verify")
    assert (status, told["ok"], told["events"], told["first_bad"]) == (0, True, 5, None)
    _, state = shell.json("journal", "replay")
    assert state["cash_usd"] == {"main": "1"}  # an account is funded once
    assert state["passed_over_count"] == 4
    assert state["head"] == told["head"]
    target = home.root / "export.jsonl"
    shell.run("journal", "export", "--to", str(target))
    assert [json.loads(line)["sequence"] for line in target.read_text().splitlines()] == [1, 2, 3, 4, 5]


def test_a_changed_event_is_named_and_exits_1(shell: Shell, home: Home) -> None:
    journal_with_events(home)
    with sqlite3.connect(home.journal) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(home.journal.read_bytes())
    place = content.find(b"2017-06-03T22")
    content[place] ^= 1
    home.journal.write_bytes(content)
    status, told = shell.json("journal", "verify")
    assert status == 1
    assert told["ok"] is False
    assert told["first_bad"]["sequence"] == 3


def test_a_journal_of_an_earlier_version_is_migrated_by_one_command(shell: Shell, home: Home) -> None:
    head = write_version_1(home.journal, [drill(1), drill(2)])
    status, told = shell.json("journal", "migrate")
    assert (status, told) == (0, {"migration": latest().number})
    assert shell.json("journal", "verify")[1]["head"] == head.hash


def test_roles_are_not_given_to_a_file(shell: Shell, home: Home) -> None:
    journal_with_events(home)
    status, told = shell.json("journal", "migrate", "--writer", "gate")
    assert (status, told["error"]["code"]) == (2, "bad_argument")
    assert "--owner-url" in told["error"]["fix"]


def test_no_command_shows_a_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a secret value")

    monkeypatch.setattr("market_data.source.snapshot", broken)
    status, out, err = shell.run("recommend", "SPX", "--as-of", "2018-12-24")
    assert status == 3
    assert "KeyError" in err
    assert "secret" not in out + err
    assert "Traceback" not in out + err
