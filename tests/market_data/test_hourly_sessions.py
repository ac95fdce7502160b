"""Hours of an exchange: whose session is over when its daily bar would be, not at midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from home.paths import Home
from market_data.lake import import_file
from market_data.source import latest_as_of, snapshot
from tests.fakes.fake_bars import DAY_US, series, weekdays
from when_to_invest.backtest.calendar import bars_per_year
from when_to_invest.decision.recommend import recommend
from when_to_invest.features.daily import closed_instant, daily_bars
from when_to_invest.instruments import Interval, Session

HOUR_US = 3_600_000_000


def _home(folder: Path, hours: range, *, days: np.ndarray) -> Home:
    home = Home(folder / "home")
    opened = (days[:, None] + np.array(hours) * HOUR_US).ravel()
    bars = series(opened)
    times = pa.array(bars.opened_us, type=pa.timestamp("us", tz="UTC"))
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    pq.write_table(pa.table({"ts": times, **columns}), folder / "hours.parquet")
    import_file(home, folder / "hours.parquet", instrument="ETFH", interval=Interval.HOUR)
    return home


def _newest(home: Home, as_of: datetime) -> datetime:
    return closed_instant(daily_bars(snapshot(home, "ETFH", as_of=as_of)))


def test_a_finished_session_counts_at_its_close(tmp_path: Path) -> None:
    home = _home(tmp_path, range(13, 20), days=weekdays(40))
    last = datetime(2010, 2, 26, 21, tzinfo=UTC)
    assert snapshot(home, "ETFH", as_of=last).instrument.session is Session.EXCHANGE
    assert latest_as_of(home, "ETFH") == last
    assert _newest(home, last) == last
    assert _newest(home, last - timedelta(seconds=1)) == last - timedelta(days=1)


def test_the_year_of_an_exchange_has_only_its_hours(tmp_path: Path) -> None:
    home = _home(tmp_path, range(13, 20), days=weekdays(40))
    known = snapshot(home, "ETFH", as_of=latest_as_of(home, "ETFH")).instrument
    assert bars_per_year(known) == 252 * 6.5


@pytest.mark.parametrize(
    ("hours", "days"),
    [(range(24), weekdays(40)), (range(13, 20), weekdays(1)[0] + np.arange(40) * DAY_US)],
)
def test_hours_after_the_close_or_at_weekends_belong_to_no_exchange(
    tmp_path: Path, hours: range, days: np.ndarray
) -> None:
    home = _home(tmp_path, hours, days=days)
    as_of = latest_as_of(home, "ETFH")
    assert snapshot(home, "ETFH", as_of=as_of).instrument.session is Session.CONTINUOUS


def test_advice_rests_on_the_newest_session_and_not_on_the_one_before(tmp_path: Path) -> None:
    home = _home(tmp_path, range(13, 20), days=weekdays(600))
    as_of = latest_as_of(home, "ETFH")
    answer = recommend(snapshot(home, "ETFH", as_of=as_of))
    assert answer.data_as_of == as_of
    monday = recommend(snapshot(home, "ETFH", as_of=as_of + timedelta(days=3)))
    assert monday.data_as_of == as_of
