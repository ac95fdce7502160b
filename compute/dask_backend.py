"""joblib's Dask backend, kept from doing the work itself, and saying which task it is doing.

Shell. Imported only when a cluster is asked for.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from joblib._dask import Batch, DaskDistributedBackend

from compute.tasks import Task

_FEWEST: Final = 2
"""Told of one worker, joblib would do everything in the calling process."""
_NAMED: Final = "task "
_UNIQUE_PART: Final = -33
"""joblib ends every key with a dash and 32 hex digits."""


class NamedBatch(Batch):  # type: ignore[misc] # joblib is untyped
    """One call, which the cluster knows by its task's key."""

    def __init__(self, tasks: list[Any], key: str) -> None:
        super().__init__(tasks)
        self._key = key

    def __repr__(self) -> str:
        return _NAMED + self._key


@dataclass(frozen=True, slots=True)
class _Failed:
    """What the cluster itself said of a task, instead of its result."""

    error: BaseException


class ClusterBackend(DaskDistributedBackend):  # type: ignore[misc] # joblib is untyped
    """Runs every task on the cluster, of one worker too."""

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return how many tasks are kept under way at once."""
        return max(_FEWEST, int(super().effective_n_jobs(n_jobs)))

    def submit(self, func: Any, callback: Callable[[Any], None] | None = None) -> Any:
        """Hand a call to the cluster; joblib hears of its end even when it ended every worker."""
        handed_in = super().submit(func, callback)
        # joblib calls back with results only, and would wait for this one until its time was over.
        handed_in.add_done_callback(lambda ended: _tell(ended, callback))
        return handed_in

    def retrieve_result_callback(self, out: Any) -> Any:
        """Return the result that a callback was told.

        Raises:
            BaseException: what the cluster or the work raised.
        """
        if isinstance(out, _Failed):
            raise out.error
        return super().retrieve_result_callback(out)

    async def _to_func_args(self, func: Any) -> tuple[NamedBatch, list[Any]]:
        _, tasks = await super()._to_func_args(func)
        _, (_, packed_task), _ = func.items[0]
        task: Task[Any] = pickle.loads(packed_task)  # noqa: S301 - packed by this very process
        return NamedBatch(tasks, task.key), tasks


def _tell(ended: Any, callback: Callable[[Any], None] | None) -> None:
    if callback is not None and ended.exception() is not None:
        callback(_Failed(ended.exception()))


def task_of(key: object) -> str:
    """Return the key of the task that the cluster knows by `key`."""
    return str(key).removeprefix(_NAMED)[:_UNIQUE_PART]
