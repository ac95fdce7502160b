"""The card that the README shows is the card that the analysis gives today."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from cli.demo.__main__ import FIRST_EVENING
from cli.recommendation_card import recommendation_card
from home.paths import Home
from market_data.source import snapshot
from when_to_invest.decision.recommend import recommend

README = Path(__file__).parents[2] / "README.md"


def squeezed(line: str) -> str:
    return " ".join(line.strip("│ \n").split())


def shown_in_readme() -> list[str]:
    text = README.read_text(encoding="utf-8")
    start, end = text.index("  Is now the time?"), text.index("[…]")
    return [squeezed(line) for line in text[start:end].splitlines() if line.strip()]


def test_the_card_in_the_readme_is_what_the_demo_shows(tmp_path: Path) -> None:
    assert datetime(2017, 6, 29, 22, tzinfo=UTC) == FIRST_EVENING
    answer = recommend(snapshot(Home(tmp_path), "SPX", as_of=FIRST_EVENING), horizon_days=21)
    out = Console(width=114, file=io.StringIO(), record=True)
    out.print(recommendation_card(answer, budget_usd=None))
    drawn = {squeezed(line) for line in out.export_text().splitlines()}
    lines = shown_in_readme()
    assert len(lines) >= 5
    assert [line for line in lines if line not in drawn] == []
