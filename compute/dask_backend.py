"""joblib's Dask backend, kept from doing the work itself.

Shell. Imported only when a cluster is asked for.
"""

from __future__ import annotations

from typing import Final

from joblib._dask import DaskDistributedBackend

_FEWEST: Final = 2
"""Told of one worker, joblib would do everything in the calling process."""


class ClusterBackend(DaskDistributedBackend):  # type: ignore[misc] # joblib is untyped
    """Runs every task on the cluster, of one worker too."""

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return how many tasks are kept under way at once."""
        return max(_FEWEST, int(super().effective_n_jobs(n_jobs)))
