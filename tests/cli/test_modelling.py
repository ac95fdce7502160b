"""`models` as scripts and people meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main

PERIOD = ("--start", "2003-09-01", "--end", "2003-12-31")


def test_models_are_shown_as_cards_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ("--home", str(tmp_path / "home"))
    assert main(["models", "SPX", *PERIOD, "--json", *place]) == 0
    answer = json.loads(capsys.readouterr().out)
    cards = answer["cards"]
    assert answer["instrument"] == "SPX"
    assert [(card["horizon_days"], card["standing"]) for card in cards[::5]] == [
        (21, "incumbent"),
        (5, "incumbent"),
    ]
    # Four months are fewer than five blocks of 63 days: nothing is known beyond doubt.
    assert all(score["estimate"]["low"] is None for card in cards[:5] for score in card["scores"])
    assert {card["standing"] for card in cards[1:5]} == {"challenger"}

    pooled = [
        card for card in cards if card["name"].startswith("pooled-") and card["standing"] != "incumbent"
    ]
    # The index taught the incumbent, so it teaches its challengers too, dated alike.
    assert all([each["name"] for each in card["learnt_from"]] == ["IXIC", "SPX"] for card in pooled)
    assert len(pooled) == 4

    assert main(["models", "SPX", *PERIOD, *place]) == 0
    shown = capsys.readouterr().out
    assert all(card["name"] in shown for card in cards)
    assert "within 21 days" in shown
    assert "within 5 days" in shown


def test_a_date_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["models", "SPX", "--start", "soon", "--json", "--home", str(tmp_path / "home")])
    assert status != 0
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "bad_argument"
