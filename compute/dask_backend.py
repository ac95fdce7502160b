"""joblib's Dask backend, kept from doing the work itself, and saying which task it is doing.

Shell. Imported only when a cluster is asked for.
"""

from __future__ import annotations

import pickle
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


class ClusterBackend(DaskDistributedBackend):  # type: ignore[misc] # joblib is untyped
    """Runs every task on the cluster, of one worker too."""

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return how many tasks are kept under way at once."""
        return max(_FEWEST, int(super().effective_n_jobs(n_jobs)))

    async def _to_func_args(self, func: Any) -> tuple[NamedBatch, list[Any]]:
        _, tasks = await super()._to_func_args(func)
        _, (_, packed_task), _ = func.items[0]
        task: Task[Any] = pickle.loads(packed_task)  # noqa: S301 - packed by this very process
        return NamedBatch(tasks, task.key), tasks


def task_of(key: object) -> str:
    """Return the key of the task that the cluster knows by `key`."""
    return str(key).removeprefix(_NAMED)[:_UNIQUE_PART]
