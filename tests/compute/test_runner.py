"""Where tasks run changes no byte of what they give."""

from __future__ import annotations

import os
import pickle
import signal
from contextlib import closing
from pathlib import Path

import pytest

from compute.runner import Place, Runner, run_tasks, stream_tasks
from compute.tasks import packed, perform, seed_of
from tests.compute import work
from when_to_invest.errors import ErrorCode, Fault

ITEMS = {f"item {number}": number for number in range(1, 6)}
HERE = Runner()
BESIDE = Runner(Place.PROCESSES, processes=2)


def test_results_come_in_the_order_of_the_items() -> None:
    found = run_tasks(work.refusing, {"b": 1, "a": 3}, shared=None, runner=HERE)
    assert list(found.items()) == [("b", 1), ("a", 3)]


def test_progress_counts_what_is_done() -> None:
    told: list[tuple[int, int]] = []
    run_tasks(
        work.drawn, ITEMS, shared=1.0, runner=HERE, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(number, 5) for number in range(1, 6)]


def test_a_task_draws_from_its_own_seed_whatever_stands_beside_it() -> None:
    alone = run_tasks(work.drawn, {"item 3": 3}, shared=1.0, runner=HERE, seed=7)
    assert run_tasks(work.drawn, ITEMS, shared=1.0, runner=HERE, seed=7)["item 3"] == alone["item 3"]
    assert run_tasks(work.drawn, {"item 3": 3}, shared=1.0, runner=HERE, seed=8) != alone


def test_seeds_differ_by_key_and_by_run() -> None:
    assert len({seed_of(seed, key) for seed in range(20) for key in "abcdefghij"}) == 200


def test_a_fault_of_the_work_is_the_runs_fault() -> None:
    with pytest.raises(Fault) as caught:
        run_tasks(work.refusing, ITEMS, shared=None, runner=HERE)
    assert caught.value.code is ErrorCode.NO_DATA


@pytest.mark.parametrize(
    "asked",
    [
        {"place": Place.DASK},
        {"place": Place.PROCESSES, "scheduler": "tcp://127.0.0.1:8786"},
        {"processes": -1},
        {"processes": 257},
    ],
    ids=str,
)
def test_a_runner_that_cannot_be_meant_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(Fault) as caught:
        Runner(**asked)  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_a_worker_with_other_code_refuses() -> None:
    task = packed(None)
    with pytest.raises(Fault) as caught:
        perform(packed((work.process, None, "0" * 64)), task)
    assert caught.value.code is ErrorCode.OTHER_CODE


def test_a_fault_travels_between_processes_whole() -> None:
    fault = Fault(ErrorCode.NO_DATA, "no bars", fix="import some")
    again = pickle.loads(pickle.dumps(fault))  # noqa: S301 - our own bytes
    assert again.as_json() == fault.as_json()


@pytest.mark.slow
def test_processes_give_the_same_bytes() -> None:
    here = run_tasks(work.drawn, ITEMS, shared=2.5, runner=HERE, seed=1)
    assert run_tasks(work.drawn, ITEMS, shared=2.5, runner=BESIDE, seed=1) == here
    assert (
        run_tasks(work.drawn, ITEMS, shared=2.5, runner=Runner(Place.PROCESSES, processes=1), seed=1) == here
    )


@pytest.mark.slow
def test_processes_are_others_and_end_with_the_run() -> None:
    pids = set(run_tasks(work.process, ITEMS, shared=None, runner=BESIDE).values())
    assert os.getpid() not in pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.slow
def test_a_fault_in_another_process_is_the_runs_fault() -> None:
    with pytest.raises(Fault) as caught:
        run_tasks(work.refusing, ITEMS, shared=None, runner=BESIDE)
    assert caught.value.message == "the second has no bars"


@pytest.mark.slow
def test_a_killed_process_changes_no_byte(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pid")
    items = {f"item {number}": number for number in (3, 2, 1, 0, 4, 5, 6, 7)}
    (tmp_path / "tried").touch()
    here = run_tasks(work.stubborn, items, shared=str(tmp_path), runner=HERE)
    (tmp_path / "tried").unlink()
    killed: list[int] = []

    def kill_who_holds_it(done: int, total: int) -> None:
        if done == 3:
            killed.append(int((tmp_path / "pid").read_text()))
            os.kill(killed[0], signal.SIGKILL)

    beside = run_tasks(work.stubborn, items, shared=str(tmp_path), runner=BESIDE, progress=kill_who_holds_it)
    assert list(beside.items()) == list(here.items())
    assert killed
    assert killed[0] != os.getpid()


@pytest.mark.slow
def test_a_task_that_kills_every_process_is_named() -> None:
    items = {f"item {number}": number for number in range(12)}
    told: list[int] = []
    with pytest.raises(Fault, match="'item 7' ended all 3 workers") as caught:
        run_tasks(
            work.deadly_at_seven,
            items,
            shared=os.getpid(),
            runner=BESIDE,
            progress=lambda done, total: told.append(done),
        )
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE
    assert caught.value.is_retryable
    assert told == list(range(1, 8))


@pytest.mark.slow
@pytest.mark.parametrize("runner", [HERE, BESIDE], ids=["here", "beside"])
def test_the_first_result_is_there_before_the_last_task_has_begun(runner: Runner, tmp_path: Path) -> None:
    items = {f"item {number}": number for number in range(40)}
    with closing(stream_tasks(work.marked, items, shared=str(tmp_path), runner=runner)) as results:
        assert next(results) == ("item 0", 0)
        assert len(list(tmp_path.iterdir())) < len(items)
        assert [number for _, number in results] == list(range(1, 40))
