"""Training year by year gives the same bytes wherever it runs, a worker killed in the middle or not."""

from __future__ import annotations

import os
import signal

import pytest

from compute.contests import run_contest
from compute.runner import Place, Runner
from tests.compute.cluster import local_cluster
from tests.when_to_invest.models.test_pooled_learners import stormy
from when_to_invest.errors import Fault
from when_to_invest.models.unseen import Family, Question

NAMES = ("A", "B", "C", "D")
SNAPSHOTS = {name: stormy(seed, 1700) for seed, name in enumerate(NAMES)}
FAMILIES = tuple(Family((name,), (name,)) for name in NAMES)
ASKED = Question(horizon=5)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_training_changes_no_byte() -> None:
    here = run_contest(SNAPSHOTS, FAMILIES, question=ASKED, runner=Runner())
    assert [each.instrument for each in here.each] == list(NAMES)
    assert "A" not in here.each[0].pool
    with local_cluster(workers=2) as cluster:
        victim = cluster.workers[0]

        def kill_one(done: int, total: int) -> None:
            if done == 1:
                os.kill(victim.pid, signal.SIGKILL)

        on = Runner(Place.DASK, scheduler=cluster.address)
        there = run_contest(SNAPSHOTS, FAMILIES, question=ASKED, runner=on, progress=kill_one)
        assert victim.wait(30) == -signal.SIGKILL
    beside = run_contest(SNAPSHOTS, FAMILIES, question=ASKED, runner=Runner(Place.PROCESSES, processes=2))
    bytes_here = [each.canonical() for each in (*here.each, here.together)]
    for other in (there, beside):
        assert [each.canonical() for each in (*other.each, other.together)] == bytes_here


def test_a_family_that_is_not_in_the_pool_is_refused() -> None:
    with pytest.raises(Fault, match="the pool has no X"):
        run_contest(SNAPSHOTS, [Family(("X",), ("X",))], question=ASKED, runner=Runner())
