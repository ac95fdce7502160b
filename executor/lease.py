"""The lock that lets one executor run on a home. The system drops it when the process dies.

It keeps two executors of one machine apart. Executors that share a journal from different
machines are kept apart by the epoch that `diary` checks at every append.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from home.paths import Home
from when_to_invest.errors import ErrorCode, Fault

LOCK_NAME: Final = "executor.lock"


@contextmanager
def sole_executor(home: Home) -> Iterator[None]:
    """Hold the home's executor lock for the length of the block.

    Raises:
        Fault: `already_running` when another process holds it.
    """
    home.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home.run / LOCK_NAME).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Fault(
                ErrorCode.ALREADY_RUNNING,
                "another executor runs on this home",
                fix="stop it first, or use another --home",
            ) from error
        try:
            yield
        finally:
            # Closing alone leaves it held while another thread's fork, which has the file open too, is
            # on its way to becoming another program.
            fcntl.flock(file, fcntl.LOCK_UN)
