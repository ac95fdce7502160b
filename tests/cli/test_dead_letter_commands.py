"""`dlq`: what died, why, and what the journal knows of it; answers go through the gate's process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from home.paths import Home
from ledger.sqlite_journal import open_journal
from tests.when_to_invest.samples import HASH, NOW, Story, order_intent
from when_to_invest.letters import Answer, DeadLetterAnswered, DeadLetterArrived
from when_to_invest.values import Mode


def arrived(message_id: str = "m-1", **changes: Any) -> DeadLetterArrived:
    given: dict[str, Any] = {
        "at": NOW,
        "mode": Mode.REPLAY,
        "message_id": message_id,
        "group": "main|paper|SPX",
        "claimed_decision_id": None,
        "body_hash": HASH,
        "receive_count": 5,
        "code": "unreadable_message",
        "message": "missing at content",
    }
    return DeadLetterArrived(**given | changes)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose queue gave up three messages: one unreadable, one expired, one answered."""
    place, story = Home(tmp_path / "home").make(), Story(order_intent())
    answered = DeadLetterAnswered(
        at=NOW, mode=Mode.REPLAY, message_id="m-0", answer=Answer.DISCARDED, by="operator", why="a drill"
    )
    journal = open_journal(place.journal)
    journal.append(
        [
            *story.until_sealed(),
            arrived("m-0"),
            answered,
            arrived("m-1"),
            arrived("m-2", claimed_decision_id=story.decision_id, code="stale_data", message="it expired"),
        ]
    )
    journal.close()
    return place


def run(home: Home, capture: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capture.readouterr()
    status = main([*arguments, "--home", str(home.root)])
    printed = capture.readouterr()
    return status, printed.out + printed.err


def told(home: Home, capture: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    _, text = run(home, capture, *arguments, "--json")
    answer: dict[str, Any] = json.loads(text)
    return answer


def test_the_list_shows_what_waits_and_which_scope_it_halts(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    status, text = run(home, capsys, "dlq", "list")
    assert status == 0
    assert "m-1" in text
    assert "instrument:SPX" in text
    assert "m-0" not in text
    waiting = told(home, capsys, "dlq", "list")["dead_letters"]
    assert [letter["message_id"] for letter in waiting] == ["m-1", "m-2"]
    every = told(home, capsys, "dlq", "list", "--all")["dead_letters"]
    assert [letter["answer"] for letter in every] == ["discarded", None, None]


def test_an_explanation_names_the_decision_the_cause_and_what_to_do(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = told(home, capsys, "dlq", "explain", "m-2")
    assert answer["decision"]["decision_id"] == answer["decision_id"]
    assert (answer["code"], answer["deliveries"]) == ("stale_data", 5)
    assert "dlq redrive" in answer["advice"]
    _, text = run(home, capsys, "dlq", "explain", "m-2")
    assert "it expired" in text


def test_a_letter_of_no_decision_is_said_to_be_one(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    answer = told(home, capsys, "dlq", "explain", "m-1")
    assert answer["decision"] is None
    assert "discard" in answer["advice"]
    _, text = run(home, capsys, "dlq", "explain", "m-1")
    assert "knows nothing" in text


def test_an_unknown_letter_is_named(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (("explain", "m-9"), ("redrive", "m-9"), ("discard", "m-9", "--why", "x")):
        status, text = run(home, capsys, "dlq", *command, "--json")
        assert status == 2
        assert json.loads(text)["error"]["code"] == "unknown_message"


def test_an_answer_needs_the_gates_own_process(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(home, capsys, "dlq", "redrive", "m-2", "--json")
    assert status == 3
    assert json.loads(text)["error"]["code"] == "service_unavailable"


def test_doctor_and_status_tell_of_letters_that_wait(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(home, capsys, "doctor", "--json")
    assert status == 1
    (finding,) = [item for item in json.loads(text)["checks"] if item["name"] == "letters"]
    assert not finding["ok"]
    assert "dlq list" in finding["fix"]
    assert told(home, capsys, "status")["dead_letters"] == 2
    assert "2 dead letters" in run(home, capsys, "status")[1]


def test_a_home_without_a_journal_has_no_letters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = Home(tmp_path / "empty").make()
    assert "no dead letters" in run(empty, capsys, "dlq", "list")[1]
    assert told(empty, capsys, "status")["dead_letters"] == 0
