"""Tasks that outlive their workers: what a broken pool left undone is done again in a new one.

Shell, between the runner and a pool. Work has no effects, so doing it again changes no byte. It
must never do a task in the calling process, nor try for ever: a task that keeps ending the only
worker that tries it is named and ends the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, Final

from compute.losses import deadly, lost
from compute.tasks import Task

MOST_DEATHS: Final = 3
"""So many workers may one task end, each time alone in the pool."""
MOST_RESTARTS: Final = 20
"""So often is a pool made anew in one run."""
Pool = Callable[[Mapping[int, Task[Any]]], Iterator[tuple[int, Any]]]
"""Performs numbered tasks and yields (number, result) as they end, or raises BrokenProcessPool."""


def surviving(tasks: list[Task[Any]], pool: Pool, *, under_way: int) -> Iterator[Any]:
    """Yield the results of all tasks in their order, each as soon as those before it are there.

    After a break the next `under_way` tasks, which held whatever was being done, go one by one, so
    that a deadly task is told from those beside it.

    Raises:
        Fault: `service_unavailable`, naming the task, once one ended `MOST_DEATHS` workers alone;
            or when the pool broke more than `MOST_RESTARTS` times.
    """
    waiting, found = dict(enumerate(tasks)), {}
    deaths: Counter[int] = Counter()
    given = restarts = suspects = 0
    while waiting:
        turn = dict(islice(waiting.items(), 1 if suspects else None))
        try:
            for number, result in pool(turn):
                del waiting[number]
                found[number] = result
                while given in found:
                    yield found.pop(given)
                    given += 1
            suspects = max(0, suspects - 1)
        except BrokenProcessPool as error:
            restarts += 1
            _count(turn, deaths, is_alone=suspects > 0, error=error)
            if restarts > MOST_RESTARTS:
                raise lost(f"worker processes were killed {restarts} times") from error
            suspects = suspects or under_way


def _count(
    turn: Mapping[int, Task[Any]], deaths: Counter[int], *, is_alone: bool, error: BrokenProcessPool
) -> None:
    """Blame a task that was alone in the pool when it broke.

    Raises:
        Fault: see `surviving`.
    """
    if not is_alone:
        return
    number, task = next(iter(turn.items()))
    deaths[number] += 1
    if deaths[number] >= MOST_DEATHS:
        raise deadly(task.key, deaths=deaths[number]) from error
