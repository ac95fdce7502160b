"""Tasks outlive their pool: with any number of breaks the results are those of no break."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute.survival import MOST_DEATHS, MOST_RESTARTS, surviving
from compute.tasks import Task
from when_to_invest.errors import Fault

UNDER_WAY = 4


def tasks(count: int) -> list[Task[int]]:
    return [Task(f"task {number}", number, number * number) for number in range(count)]


def pool(
    breaks: Callable[[int, int], bool],
) -> Callable[[Mapping[int, Task[int]]], Iterator[tuple[int, int]]]:
    """Return a pool that ends tasks backwards by pairs, and breaks where `breaks(number, so_far)`."""
    done = [0]

    def perform(turn: Mapping[int, Task[int]]) -> Iterator[tuple[int, int]]:
        numbers = list(turn)
        for at in range(0, len(numbers), 2):
            for number in reversed(numbers[at : at + 2]):
                done[0] += 1
                if breaks(number, done[0]):
                    raise BrokenProcessPool("a worker was killed")
                yield number, turn[number].item

    return perform


@given(count=st.integers(0, 30), at=st.sets(st.integers(1, 60), max_size=MOST_DEATHS - 1))
def test_breaks_change_neither_results_nor_order(count: int, at: set[int]) -> None:
    made = pool(lambda number, so_far: so_far in at)
    assert list(surviving(tasks(count), made, under_way=UNDER_WAY)) == [n * n for n in range(count)]


@given(culprit=st.integers(0, 19))
def test_a_deadly_task_is_named_whoever_stood_beside_it(culprit: int) -> None:
    made = pool(lambda number, so_far: number == culprit)
    with pytest.raises(Fault, match=f"'task {culprit}' ended all {MOST_DEATHS} workers"):
        list(surviving(tasks(20), made, under_way=UNDER_WAY))


def test_a_pool_is_not_made_anew_for_ever() -> None:
    made = pool(lambda number, so_far: so_far % 3 == 0)
    with pytest.raises(Fault, match=f"killed {MOST_RESTARTS + 1} times"):
        list(surviving(tasks(500), made, under_way=UNDER_WAY))
