"""`tca` and `status`: what execution cost, as scripts and people meet it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from cli.commands.costing import analysis_of
from cli.execution_card import analysis_card, measures_card
from cli.main import main
from home.clock import ReplayClock
from home.paths import Home
from ledger.sqlite_journal import open_journal
from tests.executor.quality.walks import LATER, D, Walk, filled_at, planned_walk
from when_to_invest.orders import OrderStep

FILLED = filled_at("101", fee_usd="1.5")


def doubtful() -> Walk:
    return Walk(2).received().sent(10, client_order_id="o-2").moved(12, OrderStep.LOST_SIGHT)


def refused() -> Walk:
    walk = Walk(3)
    return walk.tell(walk.story(86_400).proposed())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with three decisions: one filled a hundred bps worse, one in doubt, one never sealed."""
    place = Home(tmp_path / "home").make()
    journal = open_journal(place.journal)
    for walk in (FILLED, doubtful(), refused()):
        journal.append(walk.told)
    journal.close()
    ReplayClock(place.clock).move_to(LATER)
    return place


def run(home: Home, capture: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capture.readouterr()
    status = main([*arguments, "--home", str(home.root)])
    printed = capture.readouterr()
    return status, printed.out + printed.err


def told(home: Home, capture: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    status, text = run(home, capture, *arguments, "--json")
    answer: dict[str, Any] = json.loads(text)
    assert status == 0 or "error" in answer
    return answer


def test_scripts_get_every_figure_or_why_there_is_none(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(home, capsys, "tca")
    assert [each["decision_id"] for each in found["decisions"]] == [
        FILLED.story().decision_id,
        doubtful().story().decision_id,
    ]
    first, second = found["decisions"]
    assert (first["arrival_slippage_bps"], first["fees_usd"], first["shortfall_usd"]) == (
        "100",
        "1.5",
        "11.5",
    )
    assert (first["first_fill_after_s"], first["acknowledged_after_s"]) == ("1", "1")
    assert first["vwap_slippage_bps"] is None
    assert "no bar" in first["missing"]["vwap_slippage_bps"]
    assert second["arrival_slippage_bps"] is None
    assert second["orders"][0]["is_unknown"] is True
    assert found["all"]["rejected_ratio"]["count"] == 1
    assert found["all"]["arrival_slippage_bps"]["ci95"] is None
    assert found["shortfall"]["count"] == 1


def test_an_order_in_doubt_for_a_day_is_an_alarm(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    (alarm,) = told(home, capsys, "tca")["alarms"]
    assert (alarm["kind"], alarm["scope"], alarm["bound"]) == ("unknown_age", "venue:paper", "60")
    assert "unknown age of venue:paper" in run(home, capsys, "tca")[1]


def test_one_decision_is_shown_part_by_part(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(home, capsys, "tca", FILLED.story().decision_id)
    assert status == 0
    for words in ("implementation shortfall", "11.50 USD", "+100.00 bps against arrival", "last close"):
        assert words in text


def test_since_leaves_out_what_was_proposed_before(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(told(home, capsys, "tca", "--since", "2018-06-01")["decisions"]) == 2
    assert told(home, capsys, "tca", "--since", "2018-06-02")["decisions"] == []
    assert "nothing was sealed" in run(home, capsys, "tca", "--since", "2018-06-02")[1]
    assert told(home, capsys, "tca", "--since", "yesterday")["error"]["code"] == "bad_argument"


def test_an_unknown_decision_and_a_home_without_a_journal_are_named(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(home, capsys, "tca", "d-" + "0" * 24)["error"]["code"] == "unknown_decision"
    empty = Home(tmp_path / "empty").make()
    assert told(empty, capsys, "tca")["error"]["code"] == "journal_unreadable"


def test_a_report_is_one_page_or_one_picture(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, picture = tmp_path / "tca.html", tmp_path / "tca.png"
    assert run(home, capsys, "tca", "--report", str(page))[0] == 0
    assert run(home, capsys, "tca", "--report", str(picture))[0] == 0
    text = page.read_text(encoding="utf-8")
    assert text.count("src='data:image/png;base64,") == 4
    assert "Abnormal now" in text
    assert "no bar lies wholly within" in text
    with Image.open(picture) as sheet:
        assert sheet.height > sheet.width
    assert run(home, capsys, "tca", "--report", str(tmp_path / "tca.pdf"))[0] != 0


def test_a_report_of_nothing_says_so(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("tca.html", "tca.png"):
        asked = ("tca", "--since", "2018-06-02", "--report", str(tmp_path / name))
        assert run(home, capsys, *asked)[0] == 0
        assert (tmp_path / name).stat().st_size > 1000


def test_status_shows_what_a_decision_cost_and_how_long_it_took(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    decision_id = FILLED.story().decision_id
    found = told(home, capsys, "status", decision_id)["execution"]
    assert found["arrival_slippage_bps"] == "100"
    _, text = run(home, capsys, "status", decision_id)
    assert "+100.00 bps against arrival" in text
    assert "acknowledged 1.00 s" in text
    assert told(home, capsys, "status", refused().story(86_400).decision_id)["execution"] is None
    home.clock.unlink()
    assert told(home, capsys, "status", decision_id)["execution"]["fees_usd"] == "1.5"


def test_a_worked_order_is_held_against_the_quote_at_which_it_began(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, walk = Home(tmp_path / "worked").make(), planned_walk()
    walk.sent(10, quantity=D(4)).moved(11, OrderStep.ACKNOWLEDGED).filled(12, "4", "100.02")
    journal = open_journal(place.journal)
    journal.append(walk.told)
    journal.close()
    ReplayClock(place.clock).move_to(LATER)
    (found,) = told(place, capsys, "tca")["decisions"]
    assert (found["arrival_basis"], found["arrival_slippage_bps"]) == ("quote", "2")
    assert found["orders"][0]["effective_spread_bps"] == "4"
    assert (found["is_over"], found["shortfall_usd"]) == (False, None)
    assert "not over" in found["missing"]["shortfall_usd"]


def test_cards_fit_a_narrow_terminal(home: Home) -> None:
    found = analysis_of(home)
    for card in (analysis_card(found), measures_card(found.decisions[0])):
        out = io.StringIO()
        Console(file=out, width=80, highlight=False).print(card)
        assert "…" not in out.getvalue()
        assert FILLED.story().decision_id in out.getvalue()
