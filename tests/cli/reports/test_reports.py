"""Reports: pictures that open, one page that asks for nothing, and errors before long work."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.reports import files
from cli.reports.page import Picture, page, picture, table
from cli.reports.reliability_picture import grouped
from home.paths import Home
from tests.fakes.fake_bars import daily_snapshot
from tests.fakes.recommendations import recommendation
from when_to_invest.backtest.named import NAMED
from when_to_invest.backtest.report import run_backtest
from when_to_invest.backtest.trial import make_trial
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.evaluation.deployment import no_outcomes
from when_to_invest.evaluation.evaluate import Judged, evaluate

SEEN = daily_snapshot(1600, seed=7)


@cache
def judged() -> Judged:
    return evaluate(SEEN)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").make()


def colours(png: bytes) -> int:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert min(image.size) > 400
        return len(set(image.convert("RGB").resize((300, 300)).get_flattened_data()))


def test_a_recommendation_is_drawn_and_drawn_again_to_the_byte(tmp_path: Path, home: Home) -> None:
    answer = recommend(SEEN)
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    for path in (one, two):
        files.write_recommendation(path, answer, SEEN, home=home)
    assert colours(one.read_bytes()) > 20
    assert one.read_bytes() == two.read_bytes()


def test_a_page_is_one_file_that_asks_for_nothing(tmp_path: Path, home: Home) -> None:
    path = tmp_path / "report.html"
    files.write_evaluation(path, judged(), SEEN, home=home)
    text = path.read_text(encoding="utf-8")
    sources = re.findall(r"src='([^']{0,30})", text)
    assert len(sources) == 5
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?://|<script|<link|@import|url\(", text)
    assert all(len(words) > 20 for words in re.findall(r"alt='([^']*)'", text))
    assert judged().evaluation.notes[0] in text


def test_a_png_report_holds_every_picture(tmp_path: Path, home: Home) -> None:
    path = tmp_path / "report.png"
    files.write_evaluation(path, judged(), SEEN, home=home)
    with Image.open(path) as sheet:
        assert sheet.height > 2 * sheet.width


def test_an_evaluation_without_anything_to_draw_is_a_page_without_pictures(
    tmp_path: Path, home: Home
) -> None:
    bare = replace(judged(), forecasts=None, courses=None, outcomes=no_outcomes())
    path = tmp_path / "report.html"
    files.write_evaluation(path, bare, SEEN, home=home)
    text = path.read_text(encoding="utf-8")
    assert "<img" not in text
    assert judged().evaluation.notes[0] in text


@pytest.mark.parametrize("name", ["report.pdf", "report", "missing/report.html"])
def test_an_unusable_target_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(Fault) as caught:
        files.check_target(tmp_path / name, option="--report")
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_what_is_written_on_a_page_cannot_become_markup() -> None:
    text = page("<b>", lead="<i>", parts=[table(["<u>"], [["<s>"]])], foot="&")
    assert not re.search(r"<(b|i|u|s)>", text)
    assert "'x'" not in picture(Picture(b"", "'x'"))


def test_points_of_the_reliability_diagram_are_groups_by_odds() -> None:
    odds = np.random.default_rng(1).uniform(0.0, 0.6, 4000)
    came = (np.random.default_rng(2).random(4000) < odds).astype(float)
    points = grouped(odds, came, horizon=1)
    assert [point.said for point in points] == sorted(point.said for point in points)
    assert all(point.low <= point.came <= point.high for point in points)
    assert all(abs(point.said - point.came) < 0.1 for point in points)
    assert grouped(odds[:50], came[:50], horizon=1) == []


def test_a_backtest_is_written_as_picture_and_as_page(tmp_path: Path, home: Home) -> None:
    trial = make_trial(SEEN, first=250)
    result = run_backtest(NAMED["dca"].make(), trial, plans_steps=True)
    files.write_backtest(tmp_path / "run.png", result, trial, home=home)
    files.write_backtest(tmp_path / "run.html", result, trial, home=home)
    assert colours((tmp_path / "run.png").read_bytes()) > 20
    text = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert "dca on FAKE" in text
    assert all(note.split(":")[0] in text for note in result.notes)


def test_a_record_with_nothing_to_draw_gives_a_picture_that_says_so(tmp_path: Path, home: Home) -> None:
    path = tmp_path / "report.png"
    files.write_evaluation(path, replace(judged(), forecasts=None, courses=None), SEEN, home=home)
    assert colours(path.read_bytes()) > 5


def test_labels_stand_left_and_indented_and_figures_right() -> None:
    text = table(["what", "measured"], [["21-day variance", "0.621"], ["  in its worst years", "-0.1"]])
    assert "<td>21-day variance</td><td class='number'>0.621</td>" in text
    assert "<td class='indent'>in its worst years</td><td class='number'>-0.1</td>" in text
    assert "<th>what</th><th class='number'>measured</th>" in text


def test_a_recommendation_page_tells_steps_and_what_would_change_it(tmp_path: Path, home: Home) -> None:
    answer = recommendation(Action.STAGE)
    path = tmp_path / "answer.html"
    files.write_recommendation(path, answer, SEEN, home=home)
    text = path.read_text(encoding="utf-8")
    assert "SPX, 31 December 2018: in steps, 30% of the budget in all" in text
    assert "the trend turns down" in text
    assert text.count("by its date") == 2
