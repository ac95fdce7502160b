from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import daily_bars
from when_to_invest.features.readings import read_chart, read_days
from when_to_invest.features.risk_frame import risk_frame
from when_to_invest.features.steadying import steadied
from when_to_invest.features.variance import FLOOR, daily_variance, log_returns

BARS = daily_bars(daily_snapshot(600))


def test_a_session_is_measured_by_garman_and_klass_plus_the_night() -> None:
    one = replace(
        BARS.until(2),
        open=np.array([100.0, 101.0]),
        high=np.array([102.0, 104.0]),
        low=np.array([99.0, 100.0]),
        close=np.array([100.0, 103.0]),
    )
    span, body, night = np.log(104 / 100), np.log(103 / 101), np.log(101 / 100)
    expected = 0.5 * span**2 - (2 * np.log(2) - 1) * body**2 + night**2
    assert daily_variance(one)[1] == pytest.approx(expected)


def test_closes_alone_give_squared_returns() -> None:
    found = daily_variance(replace(BARS, has_range=False))
    assert found[1:] == pytest.approx(np.maximum(np.diff(np.log(BARS.close)) ** 2, FLOOR))


def test_a_day_without_movement_has_the_smallest_variance() -> None:
    flat = np.full(3, 50.0)
    still = replace(BARS.until(3), open=flat, high=flat, low=flat, close=flat)
    assert daily_variance(still).tolist() == [FLOOR] * 3


def test_the_chart_reads_as_a_person_would_read_it() -> None:
    seen = read_chart(BARS, risk_frame(BARS))
    close = BARS.close
    assert seen.close == close[-1]
    assert seen.day_return == pytest.approx(close[-1] / close[-2] - 1)
    assert seen.week_return == pytest.approx(close[-1] / close[-6] - 1)
    assert seen.worst_day == pytest.approx((close[-3:] / close[-4:-1]).min() - 1)
    assert seen.intraday_fall == pytest.approx(BARS.low[-1] / close[-2] - 1)
    assert seen.drawdown == pytest.approx(close[-1] / close[-252:].max() - 1)
    assert seen.week_volatility > 0
    assert 0.05 < seen.long_run_volatility < 0.6


def test_a_wick_counts_as_much_as_the_days_before_it_or_its_own_close_allow() -> None:
    variance, returns = daily_variance(BARS), log_returns(BARS.close)
    variance[[3, 40, 41, 300]] *= 500.0
    kept, mean = [], float(variance[0])
    for day, (value, move) in enumerate(zip(variance.tolist(), returns.tolist(), strict=True)):
        most = max(4.0 * mean, 4.0 * move**2, FLOOR)
        kept.append(value if day < 6 else min(value, most))
        mean = 0.94 * mean + (1.0 - 0.94) * kept[-1]
    assert steadied(variance, returns).tolist() == kept
    assert (steadied(variance, returns)[[40, 300]] < variance[[40, 300]]).all()


def test_the_median_of_five_years_is_numpy_s_on_every_day() -> None:
    frame, first = risk_frame(BARS), 290
    seen = read_days(BARS, frame, first=first)
    week = np.array([each.week_volatility for each in read_days(BARS, frame, first=4)])
    expected = [np.median(week[: row - 3]) for row in range(first, len(BARS))]
    assert [each.week_volatility_median for each in seen] == expected
