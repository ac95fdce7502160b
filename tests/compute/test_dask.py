"""On a Dask cluster nothing changes, not even when a worker is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from compute.runner import Place, Runner, run_tasks
from tests.compute import work
from tests.compute.cluster import FORGIVEN, Cluster, local_cluster
from when_to_invest.errors import ErrorCode, Fault

pytestmark = pytest.mark.slow
ITEMS = {f"item {number}": number for number in range(8)}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with local_cluster(workers=2) as made:
        yield made


@pytest.fixture
def doomed(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with local_cluster(workers=request.param) as made:
        yield made


def on(cluster: Cluster, *, longest_task_s: float = 60.0) -> Runner:
    return Runner(Place.DASK, scheduler=cluster.address, longest_task_s=longest_task_s)


def test_a_cluster_gives_the_same_bytes(cluster: Cluster) -> None:
    here = run_tasks(work.drawn, ITEMS, shared=2.5, runner=Runner(), seed=1)
    assert run_tasks(work.drawn, ITEMS, shared=2.5, runner=on(cluster), seed=1) == here
    pids = set(run_tasks(work.process, ITEMS, shared=None, runner=on(cluster)).values())
    assert pids <= {worker.pid for worker in cluster.workers}


def test_a_fault_on_a_worker_is_the_runs_fault(cluster: Cluster) -> None:
    with pytest.raises(Fault) as caught:
        run_tasks(work.refusing, ITEMS, shared=None, runner=on(cluster))
    assert caught.value.code is ErrorCode.NO_DATA


@pytest.mark.parametrize("doomed", [2], indirect=True)
def test_the_task_of_a_killed_worker_is_done_again(doomed: Cluster, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pid")
    killed = []

    def kill_who_holds_it(done: int, total: int) -> None:
        if done == total - 1:
            pid = int((tmp_path / "pid").read_text())
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    items = {f"item {number}": number for number in (3, 2, 1, 0)}
    found = run_tasks(
        work.stubborn, items, shared=str(tmp_path), runner=on(doomed), progress=kill_who_holds_it
    )
    assert list(found.values()) == [3, 2, 1, 0]
    assert [worker.wait(30) for worker in doomed.workers if worker.pid in killed] == [-signal.SIGKILL]


@pytest.mark.parametrize("doomed", [1], indirect=True)
def test_a_cluster_without_workers_is_told(doomed: Cluster) -> None:
    with pytest.raises(Fault) as caught:
        run_tasks(work.deadly, {"only": 1}, shared=os.getpid(), runner=on(doomed, longest_task_s=5.0))
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE


@pytest.mark.parametrize("doomed", [FORGIVEN + 1], indirect=True)
def test_a_task_that_kills_every_worker_is_named(doomed: Cluster) -> None:
    with pytest.raises(Fault, match=f"'a deadly one' ended all {FORGIVEN + 1} workers"):
        run_tasks(work.deadly, {"a deadly one": 1}, shared=os.getpid(), runner=on(doomed))


@pytest.mark.parametrize("doomed", [1], indirect=True)
def test_a_scheduler_that_goes_away_is_told(doomed: Cluster) -> None:
    def end_the_scheduler(done: int, total: int) -> None:
        doomed.scheduler.kill()

    many = {f"item {number}": 1000 for number in range(200)}
    with pytest.raises(Fault) as caught:
        run_tasks(
            work.drawn,
            many,
            shared=1.0,
            runner=on(doomed, longest_task_s=5.0),
            progress=end_the_scheduler,
        )
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE


def test_nobody_at_the_address_is_told() -> None:
    with pytest.raises(Fault) as caught:
        run_tasks(
            work.drawn,
            ITEMS,
            shared=1.0,
            runner=Runner(Place.DASK, scheduler="tcp://127.0.0.1:9", connect_s=1.0),
        )
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE
