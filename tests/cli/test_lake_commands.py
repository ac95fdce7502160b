"""`data import|list|check` as people and scripts meet them, on files that are good, odd and damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.main import main
from home.paths import Home
from market_data import lake
from tests.fakes.fake_bars import DAY_US, series, weekdays
from when_to_invest.market import BarSeries


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


class Lake:
    """Runs `data` commands in one home and keeps what they printed."""

    def __init__(self, home: Home, capture: pytest.CaptureFixture[str], folder: Path) -> None:
        self.home, self.capture, self.folder = home, capture, folder

    def run(self, *arguments: str) -> tuple[int, str]:
        self.capture.readouterr()
        status = main(["data", *arguments, "--home", str(self.home.root)])
        printed = self.capture.readouterr()
        return status, " ".join((printed.out + printed.err).split())

    def json(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        self.capture.readouterr()
        status = main(["data", *arguments, "--json", "--home", str(self.home.root)])
        return status, json.loads(self.capture.readouterr().out)

    def written(self, bars: BarSeries) -> str:
        times = pa.array(bars.opened_us, type=pa.timestamp("us", tz="UTC"))
        columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
        path = self.folder / "bars.parquet"
        pq.write_table(pa.table({"ts": times, **columns}), path)
        return str(path)

    def take(self, bars: BarSeries, name: str) -> None:
        assert self.run("import", self.written(bars), "--instrument", name, "--interval", "1d")[0] == 0

    def damage(self, name: str, *, at: float) -> None:
        path = self.home.lake / name / "1d.parquet"
        data = bytearray(path.read_bytes())
        data[int(len(data) * at)] ^= 0xFF
        path.write_bytes(bytes(data))
        lake._entry.cache_clear()
        lake._bars.cache_clear()


@pytest.fixture
def commands(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Lake:
    return Lake(home, capsys, tmp_path)


def odd_bars() -> BarSeries:
    """Return bars with a gap of more than a year before row 100 and a split at row 200."""
    opened = weekdays(300)
    bars = series(np.where(np.arange(300) < 100, opened, opened + 420 * DAY_US))
    scale = np.where(np.arange(300) < 200, 1.0, 0.1)
    prices = (getattr(bars, name) * scale for name in ("open", "high", "low", "close"))
    return BarSeries(bars.opened_us, *prices, volume=bars.volume)


def test_an_import_tells_people_what_it_kept(commands: Lake) -> None:
    status, text = commands.run(
        "import", commands.written(series(weekdays(300))), "--instrument", "A", "--interval", "1d"
    )
    assert status == 0
    assert "imported 300 bars of 1d as A 2010-01-04 to 2011-02-25" in text
    assert "odd:" not in text
    assert "gap:" not in text


def test_an_import_tells_people_what_is_odd(commands: Lake) -> None:
    status, text = commands.run(
        "import", commands.written(odd_bars()), "--instrument", "ODD", "--interval", "1d"
    )
    assert status == 0
    assert "odd: row 201" in text
    assert "leaps with no trade between" in text
    assert "gap: 423 days without a bar, 2010-05-21 to 2011-07-18" in text


def test_many_oddities_are_counted_and_not_all_listed(commands: Lake) -> None:
    bars = series(weekdays(300))
    close = bars.close * np.where(np.arange(300) % 10 == 5, 3.0, 1.0)
    many = BarSeries(bars.opened_us, bars.open, bars.high * 4.0, bars.low * 0.9, close, bars.volume)
    _, text = commands.run("import", commands.written(many), "--instrument", "MANY", "--interval", "1d")
    assert "odd: 290 more bars" in text


def test_the_lake_keeps_flags_and_gaps_with_their_dates(commands: Lake) -> None:
    _, report = commands.json(
        "import", commands.written(odd_bars()), "--instrument", "ODD", "--interval", "1d"
    )
    kept = json.loads((commands.home.lake / "ODD" / "meta.json").read_text())
    assert [each["opened_at"] for each in kept["flags"]] == ["2011-12-05T00:00:00Z"]
    assert kept["gaps"] == [{"after": "2010-05-21T00:00:00Z", "until": "2011-07-18T00:00:00Z", "days": 423}]
    assert (kept["flags"], kept["gaps"]) == (report["flagged"], report["gaps"])
    assert (kept["flag_count"], kept["gap_count"]) == (1, 1)


def test_a_flag_and_a_gap_are_visible_from_their_day_on(commands: Lake) -> None:
    commands.take(odd_bars(), "ODD")
    entry = lake.lake_entry(commands.home, "ODD")
    assert entry is not None
    (flag,), (gap,) = entry.report.flagged, entry.report.gaps
    for instant, seen in ((gap.after, (0, 0)), (gap.until, (0, 1)), (flag.opened_at, (1, 1))):
        found = len(entry.report.flagged_by(instant)), len(entry.report.gaps_by(instant))
        assert found == seen


def test_bars_of_the_future_are_refused(commands: Lake) -> None:
    bars = series(weekdays(300))
    later = BarSeries(bars.opened_us + 364 * 200 * DAY_US, *(getattr(bars, n) for n in
        ("open", "high", "low", "close", "volume")))  # fmt: skip
    status, answer = commands.json(
        "import", commands.written(later), "--instrument", "FUT", "--interval", "1d"
    )
    assert (status, answer["error"]["code"]) == (2, "corrupt_data")
    assert "row 1 " in answer["error"]["message"]
    assert "opens after the present" in answer["error"]["message"]
    assert not (commands.home.lake / "FUT").exists()


def test_the_list_names_every_instrument(commands: Lake) -> None:
    commands.take(series(weekdays(300)), "GOOD")
    status, text = commands.run("list")
    assert status == 0
    assert all(name in text for name in ("SPX", "IXIC", "USMKT", "GOOD"))


@pytest.mark.parametrize("part", ["meta.json", "1d.parquet"])
def test_a_damaged_file_hides_no_other_instrument(commands: Lake, part: str) -> None:
    for name in ("BAD", "GOOD"):
        commands.take(series(weekdays(300)), name)
    (commands.home.lake / "BAD" / part).write_text("{")
    status, answer = commands.json("list")
    assert status == 0
    assert [each["id"] for each in answer["instruments"]] == ["SPX", "IXIC", "USMKT", "GOOD"]
    assert [(each["id"], each["error"]["code"]) for each in answer["damaged"]] == [("BAD", "corrupt_data")]
    status, text = commands.run("list")
    assert status == 0
    assert "damaged BAD: the imported bars of BAD are damaged; import the file again" in text


def test_a_check_reads_every_bar(commands: Lake) -> None:
    assert commands.run("check") == (0, "nothing is imported here")
    for name in ("BAD", "ODD"):
        commands.take(odd_bars(), name)
    status, text = commands.run("check")
    assert status == 0
    assert "sound BAD: 300 bars" in text
    assert "odd: row 201" in text
    commands.damage("BAD", at=0.4)
    status, answer = commands.json("check")
    assert (status, answer["ok"]) == (1, False)
    assert [each["instrument"] for each in answer["sound"]] == ["ODD"]
    assert [each["id"] for each in answer["damaged"]] == ["BAD"]


def test_a_damaged_file_does_not_stop_a_scorecard(commands: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    commands.take(series(weekdays(300)), "BAD")
    commands.damage("BAD", at=0.4)
    capsys.readouterr()
    assert main(["scorecard", "--json", "--home", str(commands.home.root)]) == 0
