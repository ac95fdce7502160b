"""What the gate reads of a home's own data: the market of an exchange is an index of its session."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from home.paths import Home
from market_data.lake import import_file
from market_data.source import latest_as_of
from policies.turbulence import market_index
from tests.fakes.fake_bars import series, weekdays
from tool_servers.orders.market_view import LakeView
from when_to_invest.instruments import Interval
from when_to_invest.market import ReferencePrice

LATER = weekdays(300, start=datetime(2021, 1, 4, tzinfo=UTC))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def imported(home: Home, name: str, folder: Path, *, days: int = len(LATER)) -> datetime:
    """Import made-up daily bars of later years than any recorded index; return when the last closed."""
    bars = series(LATER[:days])
    times = np.datetime_as_string(bars.opened_us.astype("datetime64[us]"), unit="s", timezone="UTC")
    rows = zip(times, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    lines = ["ts,open,high,low,close,volume", *(",".join(map(str, row)) for row in rows)]
    path = folder / f"{name}.csv"
    path.write_text("\n".join(lines))
    import_file(home, path, instrument=name, interval=Interval.DAY)
    return latest_as_of(home, name)


def index_of(home: Home, name: str, *, now: datetime) -> ReferencePrice | None:
    view = LakeView(home)
    reference = view.reference(name, now=now)
    assert reference is not None
    return market_index(reference, lambda index: view.reference(index, now=now))


def test_the_recorded_index_knows_the_sessions_it_was_recorded_in(home: Home) -> None:
    now = latest_as_of(home, "IXIC")
    found = index_of(home, "IXIC", now=now)
    assert found is not None
    assert found.source == "recorded:SPX:1d"


def test_an_imported_fund_of_later_years_has_no_market_until_an_index_is_imported_too(
    home: Home, tmp_path: Path
) -> None:
    now = imported(home, "GLD", tmp_path)
    assert index_of(home, "GLD", now=now) is None
    imported(home, "VTI", tmp_path)
    found = index_of(home, "GLD", now=now)
    assert found is not None
    assert found.source.split(":")[1] == "VTI"


def test_an_index_that_ended_a_session_earlier_tells_nothing_of_this_one(home: Home, tmp_path: Path) -> None:
    now = imported(home, "GLD", tmp_path)
    imported(home, "SPY", tmp_path, days=len(LATER) - 1)
    assert index_of(home, "GLD", now=now) is None


def test_a_fund_that_follows_the_market_is_its_own_index(home: Home, tmp_path: Path) -> None:
    now = imported(home, "SPY", tmp_path)
    found = index_of(home, "SPY", now=now)
    assert found is not None
    assert found.source.split(":")[1] == "SPY"
