from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from home.paths import Home
from market_data.source import parse_as_of, snapshot
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.market import Snapshot
from when_to_invest.models.challengers import YEAR_ROWS, challenger_odds, contest
from when_to_invest.models.contest_scores import Contest, Rivals
from when_to_invest.models.fall_odds import outcomes
from when_to_invest.models.learners import CHALLENGERS, RISING, Challenger, challenger_design
from when_to_invest.models.past import FIRST_ROW, Past, past_mean
from when_to_invest.models.prior import EMPTY
from when_to_invest.models.walk_forward import walk_forward

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, TimeArray

TREES, _ = CHALLENGERS
NAMES = [each.name for each in CHALLENGERS]


@cache
def spx(as_of: str = "2018-12-31") -> Snapshot:
    return snapshot(Home(Path("unused")), "SPX", as_of=parse_as_of(as_of))


def odds_of(
    bars: DailyBars, rows: TimeArray, challenger: Challenger, *, horizon: int = 5, threshold: float = 0.03
) -> FloatArray:
    return challenger_odds(Past(bars, EMPTY), rows, challenger, horizon=horizon, threshold=threshold, seed=1)


@cache
def short_contest(seed: int = 0) -> Contest:
    return contest(
        spx(), start=date(2003, 6, 1), end=date(2004, 12, 31), horizon=5, threshold=0.03, seed=seed
    )


@pytest.mark.parametrize("challenger", CHALLENGERS, ids=NAMES)
def test_no_bar_after_a_day_changes_its_odds(challenger: Challenger) -> None:
    whole = daily_bars(spx("2004-12-31"))
    cut = FIRST_ROW + 3 * YEAR_ROWS + 40
    rows = np.arange(FIRST_ROW + 2 * YEAR_ROWS, cut)
    alone = odds_of(whole.until(cut), rows, challenger)
    crash = np.where(np.arange(len(whole)) < cut, 1.0, 0.5)
    other = replace(whole, close=whole.close * crash, low=whole.low * crash)
    assert np.array_equal(odds_of(whole, rows, challenger), alone)
    assert np.array_equal(odds_of(other, rows, challenger), alone)


@pytest.mark.parametrize("challenger", CHALLENGERS, ids=NAMES)
def test_the_period_asked_for_changes_no_odds(challenger: Challenger) -> None:
    bars = daily_bars(spx("2003-12-31"))
    rows = np.arange(FIRST_ROW + YEAR_ROWS + 100, FIRST_ROW + 2 * YEAR_ROWS + 100)
    assert np.array_equal(odds_of(bars, rows, challenger)[200:], odds_of(bars, rows[200:], challenger))


@pytest.mark.parametrize("challenger", CHALLENGERS, ids=NAMES)
def test_a_past_with_one_class_answers_with_the_base_rate(challenger: Challenger) -> None:
    bars = daily_bars(spx("2003-12-31"))
    rows = np.arange(600, len(bars))
    assert not odds_of(bars, rows, challenger, threshold=0.9).any()


def test_before_the_first_lesson_the_odds_are_the_base_rate() -> None:
    bars = daily_bars(spx("2003-12-31"))
    rows = np.arange(FIRST_ROW + 50, FIRST_ROW + YEAR_ROWS)
    base = past_mean(outcomes(Past(bars, EMPTY), 5, (0.03,))[:, 0], 5)[rows]
    assert np.array_equal(odds_of(bars, rows, TREES), base)
    assert not np.array_equal(odds_of(bars, rows + YEAR_ROWS, TREES), base)


def test_more_volatility_never_lowers_the_odds_of_the_trees() -> None:
    chance = np.random.default_rng(0)
    features = chance.normal(size=(800, len(RISING)))
    # Taught the opposite of what may be learnt.
    came = (chance.random(800) < 1.0 / (1.0 + np.exp(2.0 * features[:, 0] - features[:, 12]))).astype(int)
    with threadpool_limits(limits=1):
        model = TREES.make(0, 5).fit(features, came)
        plain = model.predict_proba(features)[:, 1]
        for column in np.flatnonzero(RISING):
            raised = features.copy()
            raised[:, column] += 1.0
            assert (model.predict_proba(raised)[:, 1] >= plain).all()
        assert len(np.unique(plain)) > 1


@pytest.mark.parametrize("challenger", CHALLENGERS, ids=NAMES)
def test_storms_that_announce_themselves_are_learnt(challenger: Challenger) -> None:
    chance = np.random.default_rng(3)
    bars = daily_bars(daily_snapshot(2500, seed=0))
    storm = np.repeat(chance.random(25) < 0.4, 100)
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0, np.where(storm, 0.03, 0.004))))
    bars = replace(bars, open=close, high=close * 1.0001, low=close * 0.9999, close=close)
    rows = np.arange(1000, 2490)
    past = Past(bars, EMPTY)
    known = outcomes(past, 5, (0.05,))[:, 0]
    came, is_wild = known[rows], storm[rows]
    oracle = np.where(is_wild, came[is_wild].mean(), came[~is_wild].mean())
    guesses = (past_mean(known, 5)[rows], oracle, odds_of(bars, rows, challenger, threshold=0.05))
    base, best, ours = (float(((guess - came) ** 2).mean()) for guess in guesses)
    # Knowing the storms themselves gains some 0.23 of the loss; nobody can gain much more.
    assert base - ours > 0.25 * (base - best) > 0.0


def test_the_features_are_those_of_the_panel_and_known_on_every_judged_day() -> None:
    panel = Past(daily_bars(spx("2003-12-31")), EMPTY).panel
    features = challenger_design(panel)
    assert features.shape[1] == len(RISING)
    assert np.isfinite(features[FIRST_ROW:]).all()


def test_a_contest_is_the_same_under_the_same_seed() -> None:
    again = contest(spx(), start=date(2003, 6, 1), end=date(2004, 12, 31), horizon=5, threshold=0.03, seed=0)
    assert again.canonical() == short_contest().canonical()
    assert short_contest(seed=7).challengers[1].brier != again.challengers[1].brier


def test_the_incumbent_is_judged_by_the_odds_that_the_live_code_gives() -> None:
    found = short_contest()
    made = walk_forward(spx(), start=date(2003, 6, 1), end=date(2004, 12, 31))
    loss = (made.drop[:, 0, 0] - made.drop_came[:, 0, 0]) ** 2
    assert (made.horizons[0], made.thresholds[0], found.n) == (5, 0.03, len(made))
    assert found.incumbent.brier == pytest.approx(loss.mean())
    base = (made.drop_base[:, 0, 0] - made.drop_came[:, 0, 0]) ** 2
    assert found.incumbent.skill_vs_climatology.value == pytest.approx(1.0 - loss.mean() / base.mean())


def test_only_a_gain_beyond_doubt_promotes() -> None:
    chance = np.random.default_rng(0)
    incumbent = chance.uniform(0.1, 0.3, 600)
    rivals = Rivals(incumbent, incumbent * 1.1, horizon=5, seed=0, challengers=2)
    better = rivals.entry("better", incumbent * 0.9)
    assert better.is_promoted
    assert better.skill_vs_incumbent is not None
    assert better.skill_vs_incumbent.value == pytest.approx(0.1)
    assert not rivals.entry("equal", incumbent).is_promoted
    assert not rivals.entry("worse", incumbent * 1.1).is_promoted
    assert not rivals.entry("lucky", incumbent - chance.normal(0.001, 0.1, 600)).is_promoted
    assert not rivals.incumbent_entry("itself").is_promoted


def test_too_few_days_promote_nobody_however_good() -> None:
    incumbent = np.full(70, 0.2)
    entry = Rivals(incumbent, incumbent, horizon=5, seed=0, challengers=2).entry("new", incumbent / 2)
    assert entry.gain_vs_incumbent is not None
    assert entry.gain_vs_incumbent.value == pytest.approx(0.1)
    assert entry.gain_vs_incumbent.low is None
    assert not entry.is_promoted


def test_every_challenger_makes_the_interval_wider() -> None:
    chance = np.random.default_rng(0)
    ours, theirs = chance.random(500), chance.random(500)
    one, two = (
        Rivals(theirs, theirs, horizon=5, seed=0, challengers=count).entry("new", ours).gain_vs_incumbent
        for count in (1, 2)
    )
    assert one is not None
    assert two is not None
    assert [one.level, two.level] == pytest.approx([0.9, 0.95])
    assert two.low < one.low < one.high < two.high  # type: ignore[operator]


@pytest.mark.parametrize(
    ("horizon", "threshold", "seed"), [(0, 0.05, 0), (5, 0.0, 0), (5, 1.0, 0), (5, 0.05, -1)]
)
def test_nonsense_is_refused(horizon: int, threshold: float, seed: int) -> None:
    with pytest.raises(Fault) as caught:
        contest(spx(), horizon=horizon, threshold=threshold, seed=seed)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_a_period_whose_horizons_have_not_ended_is_refused() -> None:
    with pytest.raises(Fault) as caught:
        contest(spx(), start=date(2018, 12, 20), horizon=21)
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


@pytest.mark.slow
@pytest.mark.parametrize(("horizon", "days", "falls"), [(21, 3754, 597), (5, 3770, 135)])
def test_fifteen_years_of_the_index_promote_nobody(horizon: int, days: int, falls: int) -> None:
    found = contest(spx(), start=date(2004, 1, 1), end=date(2018, 12, 31), horizon=horizon)
    assert (found.n, found.falls) == (days, falls)
    assert found.incumbent.skill_vs_climatology.is_above_zero
    assert found.promoted == ()
