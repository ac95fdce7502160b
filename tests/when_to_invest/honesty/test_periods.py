"""Sub-period tables keep the lost years in sight."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.periods import max_drawdown, sub_periods

EPOCH = date(1970, 1, 1)
START = date(2004, 1, 1)


def days(count: int) -> np.ndarray:
    return np.arange(count) + (START - EPOCH).days


def test_a_lost_period_is_marked_and_no_day_is_counted_twice() -> None:
    chance = np.random.default_rng(0)
    market = chance.normal(0.0, 0.01, 730)
    ours = np.where(np.arange(730) < 366, market + 0.002, market - 0.002)
    edges = [START, date(2005, 1, 1), date(2006, 1, 1)]
    table = sub_periods(days(730), ours, market, edges=edges)
    assert [row.is_lost for row in table] == [False, True]
    assert [row.bars for row in table] == [366, 364]
    assert (table[0].end, table[1].start) == (date(2004, 12, 31), date(2005, 1, 1))


def test_growth_and_drawdown_are_those_of_the_period_alone() -> None:
    returns = np.zeros(80)
    returns[[10, 60]] = (-0.5, 0.1)
    edges = [START, START + timedelta(days=40), START + timedelta(days=80)]
    first, second = sub_periods(days(80), returns, returns, edges=edges)
    assert (first.ours.growth, first.ours.max_drawdown) == pytest.approx((-0.5, -0.5))
    assert (second.ours.growth, second.ours.max_drawdown) == pytest.approx((0.1, 0.0))


def test_a_fall_from_the_very_start_counts() -> None:
    assert max_drawdown(np.array([-0.2, 0.1])) == pytest.approx(-0.2)


def test_a_period_below_thirty_bars_is_left_out() -> None:
    edges = [START, START + timedelta(days=29), START + timedelta(days=80)]
    assert len(sub_periods(days(80), np.ones(80), np.ones(80), edges=edges)) == 1


def test_edges_that_go_back_and_columns_that_differ_are_refused() -> None:
    for count, edges in ((80, [START, START]), (79, [START, date(2005, 1, 1)])):
        with pytest.raises(Fault) as caught:
            sub_periods(days(80), np.ones(count), np.ones(80), edges=edges)
        assert caught.value.code is ErrorCode.BAD_ARGUMENT
