"""Pooled challengers learn on the incumbent's terms: dated, from others, and never from what came."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.market import Snapshot
from when_to_invest.models.learners import Challenger
from when_to_invest.models.past import FIRST_ROW, Past
from when_to_invest.models.pooled_learners import (
    FEWEST_ROWS,
    POOLED_CHALLENGERS,
    RISING,
    classroom,
    exercises,
    learn_lessons,
    pooled_challenger_odds,
    taught_odds,
)
from when_to_invest.models.prior import EMPTY
from when_to_invest.models.unseen import (
    FEWEST_OUTCOMES,
    Family,
    Losses,
    Question,
    contest_of,
    kin_of,
    unseen_losses,
)

NAMES = [each.name for each in POOLED_CHALLENGERS]
TREES, NETWORK = POOLED_CHALLENGERS


def stormy(seed: int, count: int = 2200) -> Snapshot:
    """Return days whose volatility changes by tenfold every hundred days, at random."""
    chance = np.random.default_rng(seed)
    seen = daily_snapshot(count, seed=seed)
    storm = np.repeat(chance.random(count // 100) < 0.4, 100)
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0, np.where(storm, 0.03, 0.003))))
    bars = replace(seen.bars, open=close, high=close * 1.0001, low=close * 0.9999, close=close)
    return replace(seen, bars=bars)


@cache
def pool(count: int = 2200) -> dict[str, DailyBars]:
    return {name: daily_bars(stormy(seed, count)) for seed, name in enumerate("ABC")}


def odds_of(bars: DailyBars, rows: slice, others: dict[str, DailyBars]) -> dict[str, np.ndarray]:
    taught = classroom(others, 5)
    places = np.arange(rows.start, rows.stop)
    return taught_odds(Past(bars, EMPTY), places, taught, without=(), threshold=0.05, seed=1)


@pytest.mark.slow
def test_neither_its_own_nor_the_pools_future_changes_odds() -> None:
    bars, rows = pool()["C"], slice(1500, 1700)
    others = {name: each for name, each in pool().items() if name != "C"}
    whole = odds_of(bars, rows, others)
    last = int(np.flatnonzero(Past(bars, EMPTY).year == Past(bars, EMPTY).year[1699] - 1)[-1])
    before = {name: each.until(last + 1) for name, each in others.items()}
    cut = odds_of(bars.until(1700), rows, before)
    for name in NAMES:
        assert np.array_equal(whole[name], cut[name])


def test_a_lesson_holds_only_what_was_known_by_the_end_of_its_year() -> None:
    bars = pool()["A"]
    found = exercises(bars, 21)
    assert found is not None
    years = Past(bars, EMPTY).year
    rows = np.arange(FIRST_ROW, len(bars) - 21, 10)
    assert np.array_equal(found.known[: len(rows)], years[rows + 21])
    features, fell = classroom(pool(), 21).until(int(years[1200]), without=("A", "B"))
    only = exercises(pool()["C"], 21)
    assert only is not None
    assert len(fell) == len(features) == int((only.known <= years[1200]).sum())


@pytest.mark.slow
def test_who_is_left_out_teaches_nothing() -> None:
    wild = {**pool(), "C": daily_bars(stormy(99))}
    rows = np.arange(1500, 1600)
    found = [
        taught_odds(
            Past(pool()["A"], EMPTY), rows, classroom(each, 5), without=("C",), threshold=0.05, seed=1
        )
        for each in (pool(), wild)
    ]
    for name in NAMES:
        assert np.array_equal(found[0][name], found[1][name])


def test_a_farther_fall_is_never_likelier_and_a_storm_never_safer_to_the_trees() -> None:
    chance = np.random.default_rng(0)
    features = chance.normal(size=(3000, len(RISING)))
    # Taught the opposite of what may be learnt.
    came = (chance.random(3000) < 1.0 / (1.0 + np.exp(features[:, 1] - 2.0 * features[:, 0]))).astype(int)
    with threadpool_limits(limits=1):
        model = TREES.make(0, 5).fit(features, came)
        plain = model.predict_proba(features)[:, 1]
        for column in np.flatnonzero(RISING):
            moved = features.copy()
            moved[:, column] += RISING[column]
            assert (model.predict_proba(moved)[:, 1] >= plain).all()


@pytest.mark.parametrize("challenger", POOLED_CHALLENGERS, ids=NAMES)
def test_without_a_lesson_the_odds_are_the_base_rate(challenger: Challenger) -> None:
    bars = pool()["A"]
    few = classroom({"A": bars.until(FIRST_ROW + 600)}, 5)
    assert len(few.pupils["A"].fell) < FEWEST_ROWS
    lessons = learn_lessons(challenger, few, years=range(1990, 2030), without=(), seed=0)
    assert lessons == {}
    past, rows = Past(bars, EMPTY), np.arange(1000, 1100)
    odds = pooled_challenger_odds(past, rows, lessons, horizon=5, threshold=0.05)
    came = (past.worst(5) <= -0.05).astype(float)
    expected = [came[FIRST_ROW : row - 4].mean() for row in rows]
    assert odds == pytest.approx(expected)


@pytest.mark.slow
def test_storms_are_learnt_from_others() -> None:
    snapshots = {name: stormy(seed) for seed, name in enumerate("ABC")}
    question = Question(horizon=5, threshold=0.05)
    losses = unseen_losses(snapshots, Family(("C",), ("C",)), question)["C"]
    assert len(losses.day) >= FEWEST_OUTCOMES
    base = losses.climatology.mean()
    for each in (losses.incumbent, *losses.challengers):
        assert each.mean() < 0.97 * base


@pytest.mark.slow
def test_an_instrument_that_never_falls_so_far_is_left_out() -> None:
    snapshots = {name: stormy(seed, 1700) for seed, name in enumerate("ABC")}
    assert unseen_losses(snapshots, Family(("C",), ("C",)), Question(5, 0.9)) == {}


def losses_of(seed: int, *, days: int = 900, scale: float = 1.0, better: float = 1.0) -> Losses:
    chance = np.random.default_rng(seed)
    base = chance.uniform(0.05, 0.15, days) * scale
    return Losses(
        day=np.arange(10_000 + 50 * seed, 10_000 + 50 * seed + days),
        incumbent=base * 0.9,
        climatology=base,
        challengers=(base * 0.9 * better, base * 0.95),
        falls=7,
        data_hash=f"{seed:064x}",
    )


def test_together_each_instrument_counts_alike() -> None:
    many = {"A": losses_of(1), "B": losses_of(2, scale=50.0, days=300), "C": losses_of(3, better=0.5)}
    found = contest_of(many, Question(), name="all", pool={})
    trees, network = found.challengers
    assert found.n == 2100
    assert found.falls == 21
    assert found.incumbent.skill_vs_climatology.value == pytest.approx(0.1)
    assert trees.skill_vs_climatology.value == pytest.approx((0.1 + 0.1 + 0.55) / 3)
    assert network.gain_vs_incumbent is not None
    assert network.gain_vs_incumbent.value == pytest.approx(-0.05)
    assert found.promoted == (TREES.name,)


def test_nobody_is_promoted_for_equal_losses() -> None:
    assert contest_of({"A": losses_of(1)}, Question(), name="A", pool={}).promoted == ()


def test_nothing_to_judge_is_said() -> None:
    with pytest.raises(Fault) as caught:
        contest_of({}, Question(), name="none", pool={})
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


@pytest.mark.parametrize(("horizon", "threshold", "seed"), [(0, 0.05, 0), (5, 1.0, 0), (5, 0.05, -1)])
def test_a_question_without_an_answer_is_refused(horizon: int, threshold: float, seed: int) -> None:
    with pytest.raises(Fault) as caught:
        Question(horizon, threshold, seed)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_kin_are_found_by_how_they_move() -> None:
    bars = pool()["A"]
    noise = np.exp(np.random.default_rng(5).normal(0.0, 0.0005, len(bars)))
    twin = replace(bars, close=bars.close * noise)
    assert kin_of("A", {**pool(), "TWIN": twin}) == ("A", "TWIN")
    assert kin_of("B", {**pool(), "TWIN": twin}) == ("B",)
