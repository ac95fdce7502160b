"""No split lets a label leak, whatever its sizes."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.splits import Split, combinatorial, walk_forward


def label_bars(rows: np.ndarray, horizon: int) -> set[int]:
    """Every bar that the labels of `rows` are made of."""
    return {int(row) + ahead for row in rows for ahead in range(1, horizon + 1)}


def shares_no_label_bar(split: Split, horizon: int) -> bool:
    return not label_bars(split.train, horizon) & label_bars(split.test, horizon)


@given(
    first=st.integers(40, 120),
    step=st.integers(1, 40),
    horizon=st.integers(1, 15),
    embargo=st.integers(0, 20),
)
def test_walking_forward_learns_only_from_labels_that_had_ended(
    first: int, step: int, horizon: int, embargo: int
) -> None:
    splits = walk_forward(160, first=first, step=step, horizon=horizon, embargo=embargo)
    for split in splits:
        assert shares_no_label_bar(split, horizon)
        assert split.train.max() + horizon + embargo < split.test.min()
    assert np.array_equal(np.concatenate([split.test for split in splits]), np.arange(first, 160))


@given(
    count=st.integers(60, 140),
    groups=st.integers(3, 7),
    held_out=st.integers(1, 2),
    horizon=st.integers(1, 6),
    embargo=st.integers(0, 5),
)
def test_combinations_purge_and_embargo_around_every_judged_group(
    count: int, groups: int, held_out: int, horizon: int, embargo: int
) -> None:
    try:
        plan = combinatorial(count, groups=groups, held_out=held_out, horizon=horizon, embargo=embargo)
    except Fault:
        return
    for split, chosen in zip(plan.splits, plan.held, strict=True):
        assert shares_no_label_bar(split, horizon)
        for _, stop in (plan.groups[group] for group in chosen):
            after = split.train[split.train >= stop]
            assert not len(after) or after.min() >= stop + horizon + embargo
    for row in range(count):
        judged = sum(int(row in split.test) for split in plan.splits)
        assert judged == comb(groups - 1, held_out - 1) == len(plan.paths)


def test_purging_drops_no_more_than_it_must() -> None:
    split = combinatorial(100, groups=5, held_out=1, horizon=4, embargo=3).splits[2]
    assert split.test.tolist() == list(range(40, 60))
    assert split.train.tolist() == [*range(36), *range(67, 100)]


@given(groups=st.integers(3, 7), held_out=st.integers(1, 3))
def test_each_path_is_a_whole_history_from_splits_that_judged_it(groups: int, held_out: int) -> None:
    if held_out >= groups:
        return
    plan = combinatorial(400, groups=groups, held_out=held_out, horizon=1)
    forecasts = [split.test + 1000.0 * number for number, split in enumerate(plan.splits)]
    paths = plan.assemble(forecasts)
    assert paths.shape == (comb(groups - 1, held_out - 1), 400)
    assert np.array_equal(paths % 1000, np.tile(np.arange(400.0), (len(paths), 1)))
    used = {(int(value // 1000), int(value % 1000)) for value in paths.ravel()}
    assert len(used) == paths.size  # no forecast serves two paths


def test_forecasts_of_the_wrong_length_are_refused() -> None:
    plan = combinatorial(40, groups=4, held_out=1, horizon=1)
    with pytest.raises(Fault) as caught:
        plan.assemble([np.zeros(3)] * 4)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": 10, "step": 5, "horizon": 10},
        {"first": 90, "step": 0, "horizon": 1},
        {"first": 100, "step": 5, "horizon": 1},
        {"first": 20, "step": 5, "horizon": 10, "embargo": 10},
        {"first": 20, "step": 5, "horizon": 0},
    ],
)
def test_a_walk_with_nothing_to_learn_from_is_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(Fault):
        walk_forward(100, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"groups": 4, "held_out": 4, "horizon": 1},
        {"groups": 4, "held_out": 3, "horizon": 50},
        {"groups": 30, "held_out": 15, "horizon": 1},
        {"groups": 4, "held_out": 1, "horizon": 0},
    ],
)
def test_combinations_that_cannot_be_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(Fault):
        combinatorial(100, **arguments)
