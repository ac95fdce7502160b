"""Scorecards: each horizon once it is over, and no statistic on a handful."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Recommendation
from when_to_invest.evaluation.scorecard import Followed, distinct, follow, groups, scored
from when_to_invest.features.daily import DailyBars, daily_bars

MADE_AT = 800
SEEN = daily_snapshot(MADE_AT)
GIVEN = recommend(SEEN)
DAY = int(daily_bars(SEEN).day[-1])


def later(count: int) -> DailyBars:
    return daily_bars(daily_snapshot(MADE_AT + count))


def followed(count: int) -> Followed:
    found = follow(GIVEN, day=DAY, bars=later(count))
    assert found is not None
    return found


def on(day: int, *, closes: np.ndarray) -> Followed:
    """Return the recommendation as if it had been made on another day."""
    then = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return Followed(GIVEN.model_copy(update={"data_as_of": then, "as_of": then}), closes, day)


def test_nothing_counts_before_its_horizon_is_over() -> None:
    outcomes = {each.horizon_days: each for each in scored(followed(20)).outcomes}
    assert outcomes[5].return_ratio is not None
    assert outcomes[21].return_ratio is outcomes[21].worst_ratio is None
    assert outcomes[63].return_ratio is None


def test_an_early_fall_waits_for_its_horizon() -> None:
    crash = on(0, closes=np.array([100.0, 50.0, 50.0]))
    assert crash.worst_ratio(21) is None
    assert crash.worst_ratio(2) == pytest.approx(-0.5)


def test_the_outcome_is_read_from_the_days_after_the_advice() -> None:
    close = later(63).close[MADE_AT - 1 :]
    outcomes = {each.horizon_days: each for each in scored(followed(63)).outcomes}
    assert outcomes[63].return_ratio == pytest.approx(close[63] / close[0] - 1.0, abs=1e-6)
    assert outcomes[21].worst_ratio == pytest.approx(close[1:22].min() / close[0] - 1.0, abs=1e-6)


def test_a_day_that_is_no_longer_known_cannot_be_followed() -> None:
    assert follow(GIVEN, day=DAY + 365, bars=later(10)) is None
    assert follow(GIVEN, day=DAY - 20_000, bars=later(10)) is None


def test_the_same_advice_twice_counts_once() -> None:
    twin: Recommendation = GIVEN.model_copy(update={"id": "r-" + "0" * 24})
    closes = np.linspace(100.0, 110.0, 80)
    assert len(distinct([Followed(GIVEN, closes, 1), Followed(twin, closes, 1)])) == 1


@pytest.mark.parametrize(("count", "is_known"), [(29, False), (30, True)])
def test_no_statistic_below_thirty(count: int, *, is_known: bool) -> None:
    walks = np.random.default_rng(2)
    closes = [100.0 * np.exp(np.cumsum(0.02 * walks.standard_normal(70))) for _ in range(count)]
    group = groups(tuple(on(63 * at, closes=each) for at, each in enumerate(closes)))[0]
    assert group.n == count
    for tally in (*group.p_drop, *group.p_up):
        assert tally.n == count
        assert (tally.brier is not None) is is_known
        assert bool(tally.why) is not is_known
    for band in group.interval:
        assert (band.coverage is not None) is is_known


def test_tallies_are_those_of_a_hand_count() -> None:
    rise, fall = np.linspace(100.0, 120.0, 70), np.linspace(100.0, 80.0, 70)
    group = groups(tuple(on(63 * at, closes=rise if at < 20 else fall) for at in range(40)))[0]
    up = group.p_up[0]
    odds = GIVEN.p_up.value
    assert up.brier == pytest.approx(0.5 * (1.0 - odds) ** 2 + 0.5 * odds**2, abs=1e-6)
    wide = max(group.interval, key=lambda band: band.level)
    assert wide.n == 40


def test_asking_often_about_one_day_is_one_outcome() -> None:
    closes = np.linspace(100.0, 110.0, 140)
    asked = [Followed(GIVEN.model_copy(update={"horizon_days": days}), closes, 800) for days in range(21, 52)]
    group = groups(distinct(asked))[0]
    assert (group.n, group.days) == (31, 1)
    assert {tally.n for tally in (*group.p_drop, *group.p_up)} == {1}
    assert all(tally.brier is None for tally in (*group.p_drop, *group.p_up))


def test_days_in_a_row_are_hardly_more_than_one_outcome() -> None:
    walk = 100.0 * np.exp(np.cumsum(0.02 * np.random.default_rng(2).standard_normal(200)))
    group = groups(tuple(on(day, closes=walk[day : day + 70]) for day in range(100)))[0]
    counts = {tally.horizon_days: (tally.n, tally.n_effective) for tally in group.p_drop}
    assert counts == {5: (100, 20), 21: (100, 5), 63: (100, 2)}
    assert all(tally.brier is None and "do not overlap" in tally.why for tally in group.p_drop)
    assert {(band.n, band.n_effective, band.coverage) for band in group.interval} == {(100, 5, None)}
