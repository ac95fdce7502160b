"""Weighed paths have the odds asked for, and differ from equal ones no more than they must."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.models.reweighting import TOLERANCE, Reweighting, Wanted, _Problem, reweight

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

NOTHING = np.empty(0)


def _events(count: int, *, seed: int, kinds: int = 6) -> np.ndarray:
    """Return nested and crossing events: falls to two depths by three days, and a rise."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.standard_t(5, (12, count)), axis=0)
    lowest = np.minimum.accumulate(walk, axis=0)
    falls = [lowest[day] <= -depth for day in (3, 7, 11) for depth in (1.5, 3.0)]
    return np.array([*falls[: kinds - 1], walk[7] > 0.0])


def _equal(count: int) -> FloatArray:
    return np.full(count, 1.0 / count)


def _weighed(events: np.ndarray, odds: FloatArray, prior: FloatArray | None = None) -> Reweighting:
    count = events.shape[1]
    wanted = Wanted(events, odds, np.empty((0, count)), NOTHING)
    return reweight(wanted, _equal(count) if prior is None else prior)


@given(seed=st.integers(0, 10_000), spread=st.floats(0.0, 1.5))
def test_odds_that_some_weights_have_are_met(seed: int, spread: float) -> None:
    events = _events(400, seed=seed)
    hidden = np.exp(spread * np.random.default_rng(seed).standard_normal(400))
    odds = events @ (hidden / hidden.sum())
    found = _weighed(events, odds)
    assert found.is_exact
    assert np.abs(events @ found.weights - odds).max() <= TOLERANCE
    assert found.weights.min() >= 0.0
    assert found.weights.sum() == pytest.approx(1.0)
    assert 0.0 < found.effective <= 1.0


@given(seed=st.integers(0, 10_000))
def test_odds_that_already_hold_change_nothing(seed: int) -> None:
    events = _events(300, seed=seed)
    found = _weighed(events, events.mean(axis=1))
    assert found.weights == pytest.approx(_equal(300))
    assert found.effective == pytest.approx(1.0)


@given(odds=st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6), seed=st.integers(0, 100))
def test_whatever_odds_are_asked_for_the_answer_is_weights_and_an_honest_gap(
    odds: list[float], seed: int
) -> None:
    events, asked = _events(200, seed=seed), np.array(odds)
    found = _weighed(events, asked)
    assert np.isfinite(found.weights).all()
    assert found.weights.min() >= 0.0
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.gap == pytest.approx(np.abs(events @ found.weights - asked).max())


def test_one_event_scales_both_sides_alike() -> None:
    events = np.array([[True, True, False, False, False, False, False, False]])
    found = _weighed(events, np.array([0.5]))
    assert found.weights == pytest.approx([0.25] * 2 + [0.5 / 6] * 6)
    entropy = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert found.effective == pytest.approx(math.exp(-entropy))


def test_no_other_weights_with_these_odds_are_nearer() -> None:
    events = _events(60, seed=3)
    found = _weighed(events, events.mean(axis=1) * 0.9)
    rng = np.random.default_rng(0)
    kernel = np.linalg.svd(np.vstack((events, np.ones(60))))[2][events.shape[0] + 1 :]
    for _ in range(50):
        other = found.weights + 1e-4 * (rng.standard_normal(len(kernel)) @ kernel)
        assert other.min() > 0.0
        assert float(other @ np.log(60 * other)) >= -math.log(found.effective) - 1e-9


def test_weights_before_are_kept_within_what_is_alike() -> None:
    events = np.array([[True, True, False, False]])
    found = _weighed(events, np.array([0.8]), np.array([0.1, 0.3, 0.4, 0.2]))
    assert found.weights == pytest.approx([0.2, 0.6, 0.4 / 3, 0.2 / 3])


def test_a_fall_on_no_path_leaves_the_other_odds_exact_and_the_gap_told() -> None:
    events = _events(500, seed=1)
    events[1] = False
    odds = events.mean(axis=1) * 0.8
    odds[1] = 3e-4
    found = _weighed(events, odds)
    assert not found.is_exact
    assert found.gap == pytest.approx(3e-4)
    assert np.delete(events @ found.weights, 1) == pytest.approx(np.delete(odds, 1), abs=TOLERANCE)


def test_odds_that_contradict_each_other_are_met_half_way() -> None:
    event = np.array([True, False, False, False])
    found = _weighed(np.array([event, event]), np.array([0.2, 0.4]))
    assert found.weights[0] == pytest.approx(0.3, abs=1e-6)
    assert found.gap == pytest.approx(0.1, abs=1e-6)


def test_certain_and_impossible_events_are_met() -> None:
    events = np.array([[True, False, True, False], [True, True, False, False]])
    found = _weighed(events, np.array([1.0, 0.0]))
    assert found.weights == pytest.approx([0.0, 0.0, 1.0, 0.0], abs=TOLERANCE)


def test_means_are_reached_beside_the_odds() -> None:
    rng = np.random.default_rng(4)
    events, gains = _events(2000, seed=4), rng.normal(0.0, 0.1, (2, 2000))
    odds, means = events.mean(axis=1) * 0.9, np.array([0.01, -0.02])
    found = reweight(Wanted(events, odds, gains, means), _equal(2000))
    assert found.is_exact
    assert gains @ found.weights == pytest.approx(means, abs=1e-5)


def test_means_and_products_are_those_of_the_matrices() -> None:
    rng = np.random.default_rng(5)
    facts, weights = np.concatenate((_events(900, seed=5), rng.normal(size=(3, 900)))), rng.random(900)
    problem = _Problem(facts, weights, np.zeros(len(facts)), np.zeros(len(facts)))
    assert problem.means(weights) == pytest.approx(facts @ weights)
    assert problem.products(weights) == pytest.approx((facts * weights) @ facts.T)


def test_the_same_question_has_the_same_bytes() -> None:
    events = _events(400, seed=2)
    odds = events.mean(axis=1) * 0.7
    assert _weighed(events, odds).weights.tobytes() == _weighed(events, odds).weights.tobytes()


@pytest.mark.parametrize(
    ("events", "odds"),
    [
        (np.ones((2, 5), dtype=bool), np.array([0.5])),
        (np.ones((1, 5), dtype=bool), np.array([1.5])),
        (np.ones((1, 5), dtype=bool), np.array([math.nan])),
        (np.ones((1, 0), dtype=bool), np.array([0.5])),
    ],
)
def test_what_does_not_fit_is_refused(events: np.ndarray, odds: FloatArray) -> None:
    with pytest.raises(Fault) as fault:
        _weighed(events, odds, np.full(events.shape[1], 0.2))
    assert fault.value.code is ErrorCode.BAD_ARGUMENT
