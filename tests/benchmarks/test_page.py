from __future__ import annotations

from dataclasses import asdict

from benchmarks.page import page
from benchmarks.row import Figure, against, within


def test_the_page_shows_what_was_met_and_what_was_missed() -> None:
    rows = [
        within("skill.SPX.fall", Figure(0.2, "ratio", is_lower_better=False), bound=0.1),
        within("skill.SPX.error", Figure(0.2, "ratio"), bound=0.1),
        against("speed.backtest bars", Figure(1.0, "s"), peer="slowpoke", peer_value=30.0, least_ratio=25.0),
    ]
    text = page([{**asdict(row), "commit": "abc", "machine": "one core"} for row in rows])
    assert "1 of 3 rows miss their aim" in text
    assert "| skill.SPX.fall | 0.2 ratio | 0.1 ratio | met |" in text
    assert "| skill.SPX.error | 0.2 ratio | 0.1 ratio | **missed** |" in text
    assert "| speed.backtest bars | 1 s, 30x slowpoke | at least 25x | met |" in text
    assert text.count("## skill.SPX") == 1
