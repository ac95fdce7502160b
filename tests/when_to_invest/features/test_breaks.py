from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.fake_bars import DAY_US, daily_snapshot, instrument, series, snapshot_of, weekdays
from when_to_invest.features.breaks import WINDOW_DAYS, breaks_of, rests_on_leap
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.market import BarSeries

PRICES = ("open", "high", "low", "close")


def _days(bars: BarSeries, *, has_range: bool = True) -> DailyBars:
    return daily_bars(snapshot_of(bars, instrument().model_copy(update={"has_range": has_range})))


def _scaled(bars: BarSeries, rows: slice, factor: float) -> BarSeries:
    changed = {name: getattr(bars, name).copy() for name in PRICES}
    for column in changed.values():
        column[rows] *= factor
    return replace(bars, **changed)


@pytest.mark.parametrize("has_range", [True, False])
@pytest.mark.parametrize("factor", [0.1, 0.5, 2.0, 177_400.0])
def test_a_split_or_another_listing_is_a_leap(factor: float, *, has_range: bool) -> None:
    found = breaks_of(_days(_scaled(series(weekdays(600)), slice(400, None), factor), has_range=has_range))
    assert [leap.row for leap in found.leaps] == [400]
    assert found.leaps[0].ratio == pytest.approx(factor, rel=0.1)
    assert found.newest_in_window == found.leaps[0]


@pytest.mark.parametrize("has_range", [True, False])
def test_a_bad_print_leaps_there_and_back(*, has_range: bool) -> None:
    found = breaks_of(_days(_scaled(series(weekdays(600)), slice(400, 401), 100.0), has_range=has_range))
    assert [leap.row for leap in found.leaps] == [400, 401]


def test_a_crash_that_traded_all_the_way_is_none() -> None:
    bars = _scaled(series(weekdays(600)), slice(400, None), 0.4)
    opening, high = bars.open.copy(), bars.high.copy()
    opening[400] = high[400] = bars.close[399]
    assert breaks_of(_days(replace(bars, open=opening, high=high))).leaps == ()


def test_a_wild_market_of_closes_alone_does_not_leap() -> None:
    moves = np.random.default_rng(3).normal(0.0, 0.15, 600)
    bars = series(weekdays(600))
    assert breaks_of(_days(replace(bars, close=np.exp(np.cumsum(moves))), has_range=False)).leaps == ()


def test_an_old_leap_is_outside_of_what_todays_figures_rest_on() -> None:
    bars = _scaled(series(weekdays(900)), slice(400, None), 0.1)
    assert breaks_of(_days(bars.between(0, 400 + WINDOW_DAYS))).newest_in_window
    assert not breaks_of(_days(bars.between(0, 401 + WINDOW_DAYS))).newest_in_window


def test_a_long_gap_is_told_and_a_weekend_is_none() -> None:
    opened = weekdays(900)
    assert breaks_of(_days(series(opened))).gap is None
    opened = np.where(np.arange(900) < 500, opened, opened + 459 * DAY_US)
    gap = breaks_of(_days(series(opened))).gap
    assert gap is not None
    assert (gap.row, gap.days >= 459) == (500, True)


def test_what_is_told_of_a_day_is_the_same_whatever_follows() -> None:
    bars = daily_bars(daily_snapshot(700))
    close = bars.close.copy()
    close[300:] *= 0.2
    close[500] *= 50.0
    whole = rests_on_leap(replace(bars, close=close, has_range=False))
    for count in (250, 300, 301, 400, 500, 501, 502, 650):
        cut = rests_on_leap(replace(bars, close=close, has_range=False).until(count))
        assert np.array_equal(cut, whole[:count])
