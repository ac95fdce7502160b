"""`survey` as scripts and people meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main

ASKED = ("survey", "SPX", "USMKT", "--start", "2012-01-01", "--end", "2015-12-31")


def test_each_instrument_has_the_evaluation_it_would_have_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ASKED, "--home", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert main(["evaluate", "SPX", *ASKED[3:], "--home", str(tmp_path), "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert told["faults"] == {}
    assert [each["instrument"] for each in told["evaluations"]] == ["SPX", "USMKT"]
    assert told["evaluations"][0] == alone


def test_people_see_a_line_an_instrument(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--home", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line[:3] in {"SPX", "USM"}] == ["SPX", "USMKT"]


def test_an_unknown_instrument_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survey", "NOPE", "--home", str(tmp_path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "unknown_instrument"
