from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.fake_bars import DAY_US, series, snapshot_of, weekdays
from when_to_invest.backtest.engine import run_events
from when_to_invest.backtest.rules.advice import FollowsAdvice
from when_to_invest.backtest.trial import make_trial
from when_to_invest.decision.recommend import LIMITS, recommend
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.market import BarSeries


def _split(bars: BarSeries, row: int, factor: float = 0.1) -> BarSeries:
    scale = np.where(np.arange(len(bars)) < row, 1.0, factor)
    return replace(bars, **{name: getattr(bars, name) * scale for name in ("open", "high", "low", "close")})


def test_a_fresh_split_is_no_ground_for_advice() -> None:
    with pytest.raises(Fault, match="a split, a bad print or another listing") as caught:
        recommend(snapshot_of(_split(series(weekdays(900)), 700)))
    assert caught.value.code is ErrorCode.CORRUPT_DATA
    assert "2012-09-10" in caught.value.message


def test_before_the_split_nothing_is_known_of_it() -> None:
    whole = series(weekdays(900))
    told, later = (recommend(snapshot_of(bars.between(0, 700))) for bars in (whole, _split(whole, 700)))
    assert told.canonical() == later.canonical()
    assert told.limits == LIMITS


def test_an_old_split_is_told_and_stands_in_the_evidence() -> None:
    answer = recommend(snapshot_of(_split(series(weekdays(900)), 560)))
    known = {item.id: item.value for item in answer.evidence}
    assert (known["data.leaps"], known["data.bars_since_leap"]) == (1.0, 340.0)
    assert "between: 1, the last 340 bars ago" in answer.limits


def test_a_long_gap_is_told_and_stands_in_the_evidence() -> None:
    opened = weekdays(900)
    bars = series(np.where(np.arange(900) < 800, opened, opened + 460 * DAY_US))
    answer = recommend(snapshot_of(bars))
    known = {item.id: item.value for item in answer.evidence}
    assert (known["data.gap_days"], known["data.bars_since_gap"]) == (462.0, 100.0)
    assert "no bar for 462 days, 100 bars ago" in answer.limits


def test_a_backtest_of_the_advice_goes_on_where_it_abstains() -> None:
    rule = FollowsAdvice(every=50)
    run_events(rule, make_trial(snapshot_of(_split(series(weekdays(900)), 700)), first=690))
    assert rule.abstentions > 0
