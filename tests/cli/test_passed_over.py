"""Every reader of the journal believes what gate and executor believe, and says what it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from home.paths import Home
from ledger.live import MOST_TOLD, LiveLedger
from tests.fakes.memory_journal import MemoryJournal
from tests.ledger.journals import drill, write
from tests.when_to_invest.samples import one_of_each
from when_to_invest.events import OrderSettled, TradingResumed

FORGED = [event for event in one_of_each() if isinstance(event, TradingResumed)]
SETTLED = [event for event in one_of_each() if isinstance(event, OrderSettled)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").make()


def _told(home: Home, capture: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capture.readouterr()
    status = main([*arguments, "--home", str(home.root), "--json"])
    return status, json.loads(capture.readouterr().out)


def test_a_resumption_that_nobody_signed_lifts_nothing_in_a_replay_and_is_named(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home.journal, [drill(1)], FORGED)
    status, state = _told(home, capsys, "journal", "replay")
    assert status == 0
    assert state["trading_states"] == {"system": "halted"}
    (skipped,) = state["passed_over"]
    assert (skipped["sequence"], skipped["kind"]) == (2, "trading_resumed")
    assert "signatures" in skipped["why"]
    assert state["passed_over_count"] == 1


def test_people_are_told_of_it_too(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    write(home.journal, [drill(1)], FORGED)
    for command in (("journal", "replay"), ("status",)):
        capsys.readouterr()
        assert main([*command, "--home", str(home.root)]) == 0
        assert "passed over event 2 (trading_resumed)" in capsys.readouterr().out


def test_the_status_of_a_decision_does_not_believe_a_settlement_that_nobody_signed(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    events = one_of_each()
    decision_id = SETTLED[0].decision_id
    story = [event for event in events if getattr(event, "decision_id", None) == decision_id]
    write(home.journal, [event for event in story if not isinstance(event, OrderSettled)])
    _, before = _told(home, capsys, "status", decision_id)
    write(home.journal, SETTLED)
    _, after = _told(home, capsys, "status", decision_id)
    assert {**after, "passed_over": []} == before
    assert [each["kind"] for each in after["passed_over"]] == ["order_settled"]
    _, every = _told(home, capsys, "status")
    assert every["passed_over"] == after["passed_over"]


def test_a_home_in_which_all_is_signed_passes_nothing_over(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home.journal, [drill(1), drill(2)])
    assert _told(home, capsys, "journal", "replay")[1]["passed_over"] == []
    assert _told(home, capsys, "status")[1]["passed_over"] == []


def test_a_flood_of_forged_events_is_counted_and_not_kept() -> None:
    journal = MemoryJournal()
    journal.append(FORGED * (MOST_TOLD + 50))
    ledger = LiveLedger(journal)
    ledger.refresh()
    assert len(ledger.passed_over) == MOST_TOLD
    assert ledger.passed_over_count == MOST_TOLD + 50
