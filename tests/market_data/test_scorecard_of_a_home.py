"""The scorecard of a home: from archived files to scores."""

from __future__ import annotations

from pathlib import Path

from home.paths import Home
from market_data.archive import store, stored_ids
from market_data.scorecard import scorecard
from market_data.source import parse_as_of, snapshot
from when_to_invest.decision.recommend import recommend


def advise(home: Home, instrument: str, day: str) -> None:
    seen = snapshot(home, instrument, as_of=parse_as_of(day))
    store(home.make(), recommend(seen), seen)


def test_each_record_meets_what_came(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    for instrument, day in (("SPX", "2018-01-05"), ("SPX", "2018-12-24"), ("IXIC", "2018-01-05")):
        advise(home, instrument, day)
    found = scorecard(home, now=parse_as_of("2018-12-31"))
    assert len(stored_ids(home)) == found.n == 3
    assert [group.group for group in found.groups] == ["all", "IXIC", "SPX"]
    newest = found.recommendations[-1]
    assert [each.return_ratio is None for each in newest.outcomes] == [True, True, True]
    assert found.recommendations[0].outcomes[0].return_ratio is not None


def test_outcomes_count_only_as_far_as_the_clock_has_run(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    advise(home, "SPX", "2018-01-05")
    early = scorecard(home, now=parse_as_of("2018-01-16")).recommendations[0].outcomes
    assert [each.return_ratio is not None for each in early] == [True, False, False]


def test_a_damaged_record_is_named_and_left_out(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    advise(home, "SPX", "2018-01-05")
    (record,) = home.recommendations.glob("*.json")
    record.chmod(0o600)
    record.write_text(record.read_text()[:200])
    found = scorecard(home, now=parse_as_of("2018-12-31"))
    assert found.n == 0
    assert record.stem in found.notes[0]


def test_an_empty_home_has_an_empty_scorecard(tmp_path: Path) -> None:
    found = scorecard(Home(tmp_path / "home"), now=parse_as_of("2018-12-31"))
    assert found.n == 0
    assert found.groups == found.recommendations == found.notes == ()
