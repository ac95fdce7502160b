from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tests.fakes.fake_bars import DAY_US, instrument, series, snapshot_of, weekdays
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.instruments import Interval, Session
from when_to_invest.market import Snapshot
from when_to_invest.models.fall_odds import THRESHOLDS, fall_odds, newest_odds
from when_to_invest.models.past import Past
from when_to_invest.models.prior import shipped_prior
from when_to_invest.signals.trend import read_trend

HOUR_US = DAY_US // 24
MIDNIGHT = int(weekdays(1)[0])
HOURLY = instrument(interval=Interval.HOUR, session=Session.CONTINUOUS)


def _hours(*, first: int, count: int) -> Snapshot:
    return snapshot_of(series(MIDNIGHT + (first + np.arange(count)) * HOUR_US), HOURLY)


def test_daily_bars_pass_through_as_they_are() -> None:
    bars = series(weekdays(20))
    found = daily_bars(snapshot_of(bars))
    assert np.array_equal(found.close, bars.close)
    assert found.days_per_year == 252


def test_hours_become_the_days_that_contain_them() -> None:
    snapshot = _hours(first=0, count=72)
    found, hours = daily_bars(snapshot), snapshot.bars
    assert len(found) == 3
    for day in range(3):
        part = slice(24 * day, 24 * day + 24)
        assert found.open[day] == hours.open[part][0]
        assert found.high[day] == hours.high[part].max()
        assert found.low[day] == hours.low[part].min()
        assert found.close[day] == hours.close[part][-1]


def test_a_day_that_is_not_over_does_not_count() -> None:
    assert len(daily_bars(_hours(first=0, count=71))) == 2


def test_a_day_that_begins_midway_does_not_count() -> None:
    assert len(daily_bars(_hours(first=4, count=68))) == 2


def test_a_day_with_missing_hours_counts_once_it_is_over() -> None:
    snapshot = _hours(first=0, count=48)
    kept = np.r_[0:20, 24:48]
    columns = {name: getattr(snapshot.bars, name)[kept] for name in vars(snapshot.bars)}
    assert len(daily_bars(replace(snapshot, bars=type(snapshot.bars)(**columns)))) == 2


def test_an_evening_later_no_new_day_has_appeared() -> None:
    snapshot = _hours(first=0, count=72)
    later = replace(snapshot, as_of=snapshot.as_of + timedelta(hours=20))
    assert np.array_equal(daily_bars(later).close, daily_bars(snapshot).close)


def test_a_market_open_on_weekends_has_longer_years() -> None:
    assert daily_bars(_hours(first=0, count=24 * 10)).days_per_year == 365


def test_weekends_that_open_late_change_nothing_that_was_said_before() -> None:
    days = MIDNIGHT // DAY_US + np.arange(1700)
    has_late_weekends = ((days + 3) % 7 < 5) | (np.arange(len(days)) >= 1000)
    bars, known = series(days[has_late_weekends] * DAY_US), instrument(session=Session.CONTINUOUS)
    whole = daily_bars(snapshot_of(bars, known))
    early = daily_bars(snapshot_of(bars.between(0, 600), known))
    assert early.days_per_year == whole.days_per_year == 252
    for horizon in (5, 21):
        lived = newest_odds(Past(early, shipped_prior()), horizon)
        seen = fall_odds(Past(whole, shipped_prior()), np.array([599]), horizon, THRESHOLDS)
        assert lived.values == tuple(seen.odds[0])
    assert read_trend(early) == read_trend(whole.until(600))


def test_a_stray_bar_on_a_sunday_makes_no_longer_year() -> None:
    days = np.sort(np.append(weekdays(300), MIDNIGHT + 6 * DAY_US))
    assert daily_bars(snapshot_of(series(days))).days_per_year == 252


def test_hours_of_a_single_morning_are_no_history() -> None:
    with pytest.raises(Fault) as caught:
        daily_bars(_hours(first=0, count=5))
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


def test_months_cannot_speak_about_days() -> None:
    opened = np.arange("2000-01", "2010-01", dtype="datetime64[M]").astype("datetime64[us]").astype(np.int64)
    with pytest.raises(Fault, match="monthly bars") as caught:
        daily_bars(snapshot_of(series(opened), instrument(interval=Interval.MONTH)))
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
@pytest.mark.parametrize("value", [np.nan, 0.0, -1.0, np.inf])
def test_a_price_that_is_none_is_refused(column: str, value: float) -> None:
    bars = series(weekdays(20))
    getattr(bars, column)[7] = value
    with pytest.raises(Fault) as caught:
        daily_bars(snapshot_of(bars))
    assert caught.value.code is ErrorCode.CORRUPT_DATA


def test_the_first_days_are_the_days_as_they_stood_then() -> None:
    bars = daily_bars(snapshot_of(series(weekdays(20))))
    cut = bars.until(5)
    assert isinstance(cut, DailyBars)
    assert len(cut) == 5
    assert np.array_equal(cut.high, bars.high[:5])
