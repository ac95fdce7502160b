"""Runners: the same tasks in this process, in processes of this machine, or on a Dask cluster.

Shell. All three give results in the order of the tasks; joblib carries the last two. Work that
fails fails the run with its own fault. A worker that dies, beside this process or on a cluster,
loses nothing: its tasks are done again.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum, unique
from multiprocessing import TimeoutError as NoResultInTime
from typing import Any, Final

from compute.code import code_fingerprint
from compute.losses import deadly, lost, too_long
from compute.survival import surviving
from compute.tasks import Item, Result, Shared, Task, Work, packed, perform, perform_numbered, seed_of
from when_to_invest.errors import ErrorCode, Fault

LONGEST_TASK_S: Final = 900.0
MOST_PROCESSES: Final = 256
Progress = Callable[[int, int], None]
"""Told how many tasks are done, of how many."""


@unique
class Place(StrEnum):
    """Where tasks run."""

    SERIAL = "serial"
    PROCESSES = "processes"
    DASK = "dask"


@dataclass(frozen=True, slots=True)
class Runner:
    """Where, with how many processes (0: one a CPU), and the address of a cluster's scheduler.

    `connect_s`: how long a scheduler, and then a first worker, is waited for. `longest_task_s`:
    a task that takes longer ends the run, so that a cluster which has lost all its workers is
    noticed.

    Raises:
        Fault: `bad_argument` for a number of processes outside 0 to 256, or an address that is
            missing or serves no purpose.
    """

    place: Place = Place.SERIAL
    processes: int = 0
    scheduler: str | None = None
    longest_task_s: float = LONGEST_TASK_S
    connect_s: float = 10.0

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        if not 0 <= self.processes <= MOST_PROCESSES:
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                f"{self.processes} processes cannot be started",
                fix=f"choose 1 to {MOST_PROCESSES}, or 0 for one a CPU",
            )
        if (self.place is Place.DASK) != (self.scheduler is not None):
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                "a Dask cluster is reached by the address of its scheduler, and nothing else has one",
                fix="use the runner dask together with --scheduler tcp://HOST:8786",
            )


def run_tasks(
    work: Work[Shared, Item, Result],
    items: Mapping[str, Item],
    *,
    shared: Shared,
    runner: Runner,
    seed: int = 0,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - by default nobody listens
) -> dict[str, Result]:
    """Perform `work(shared, Task(key, its seed, item))` for every item and return results by key.

    Args:
        work: a function at the top of a module.
        items: what to work on, by key; results keep this order.
        shared: what every task needs; sent along with each.
        runner: where.
        seed: of the run; each task's own follows from it and its key.
        progress: told after each task, in order.

    Raises:
        Fault: what `work` raises; `service_unavailable` when workers cannot be reached or died
            too often, `other_code` when they run something else.
    """
    found: dict[str, Result] = {}
    with closing(stream_tasks(work, items, shared=shared, runner=runner, seed=seed)) as results:
        for key, result in results:
            found[key] = result
            progress(len(found), len(items))
    return found


def stream_tasks(
    work: Work[Shared, Item, Result],
    items: Mapping[str, Item],
    *,
    shared: Shared,
    runner: Runner,
    seed: int = 0,
) -> Generator[tuple[str, Result], None, None]:
    """Yield each (key, result) of `run_tasks` in the order of the items, as soon as it is there.

    Nothing that was yielded is kept, so results that are summed up need not fit in memory.

    Raises:
        Fault: as `run_tasks`.
    """
    tasks = [Task(key, seed_of(seed, key), item) for key, item in items.items()]
    with _performing(runner) as performed:
        for task, result in zip(tasks, performed(work, shared, tasks), strict=True):
            yield task.key, result


_Performed = Callable[[Any, Any, list[Task[Any]]], Iterator[Any]]


def _performing(runner: Runner) -> AbstractContextManager[_Performed]:
    match runner.place:
        case Place.SERIAL:
            return _here()
        case Place.PROCESSES:
            return _here() if runner.processes == 1 else _beside(runner)
        case Place.DASK:
            return _on_cluster(runner)


@contextmanager
def _here() -> Iterator[_Performed]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield lambda work, shared, tasks: (work(shared, task) for task in tasks)


@contextmanager
def _beside(runner: Runner) -> Iterator[_Performed]:
    from joblib import effective_n_jobs
    from joblib.externals.loky import get_reusable_executor

    # joblib hands out twice as many tasks as there are workers, in their order.
    handed_out = 2 * int(effective_n_jobs(runner.processes or -1))

    def performed(work: Any, shared: Any, tasks: list[Task[Any]]) -> Iterator[Any]:
        program = packed((work, shared, None))
        return surviving(tasks, lambda turn: _numbered(program, turn, runner), under_way=handed_out)

    try:
        yield performed
    except NoResultInTime as error:
        raise too_long(runner.longest_task_s) from error
    finally:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)


@contextmanager
def _on_cluster(runner: Runner) -> Iterator[_Performed]:
    try:
        from distributed import Client, KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError
    except ImportError as error:
        raise Fault(
            ErrorCode.BAD_CONFIG,
            "this installation has no Dask",
            fix="install the extra `scale`: when-to-invest[scale]",
        ) from error
    from joblib import parallel_config

    from compute.dask_backend import ClusterBackend, task_of

    # Whatever its many loggers have to say, a run says itself, as a fault.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with ExitStack() as open_until_done:
        try:
            client = Client(runner.scheduler, timeout=runner.connect_s, set_as_default=False)  # type: ignore[no-untyped-call] # untyped library
            open_until_done.enter_context(client)
        except (OSError, TimeoutError, ValueError) as error:
            raise lost(f"no Dask scheduler answers at {runner.scheduler}") from error
        try:
            with parallel_config(
                backend=ClusterBackend(client=client, wait_for_workers_timeout=runner.connect_s)
            ):
                yield lambda work, shared, tasks: _spread(
                    packed((work, shared, code_fingerprint())), tasks, runner
                )
        except KilledWorker as error:
            raise deadly(task_of(error.task), deaths=error.allowed_failures + 1) from error
        except (CommClosedError, FutureCancelledError) as error:
            raise lost("the cluster's scheduler went away") from error
        except (NoResultInTime, TimeoutError) as error:
            raise too_long(runner.longest_task_s) from error


def _spread(program: bytes, tasks: list[Task[Any]], runner: Runner) -> Iterator[Any]:
    """Yield the results of all tasks in their order, from wherever joblib is set to run them."""
    from joblib import Parallel, delayed

    parallel = Parallel(batch_size=1, return_as="generator", timeout=runner.longest_task_s)
    with closing(parallel(delayed(perform)(program, packed(task)) for task in tasks)) as results:
        for result in results:
            yield pickle.loads(result)  # noqa: S301 - our own workers' answer


def _numbered(program: bytes, tasks: Mapping[int, Task[Any]], runner: Runner) -> Iterator[tuple[int, Any]]:
    """Yield (number, result) of every task as it ends, so that a break loses none that has ended."""
    from joblib import Parallel, delayed

    parallel = Parallel(
        n_jobs=runner.processes or -1,
        backend="loky",
        batch_size=1,
        return_as="generator_unordered",
        timeout=runner.longest_task_s,
    )
    asked = (delayed(perform_numbered)(number, program, packed(task)) for number, task in tasks.items())
    with closing(parallel(asked)) as results:
        for number, result in results:
            yield number, pickle.loads(result)  # noqa: S301 - our own workers' answer
