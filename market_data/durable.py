"""Files that are either whole or absent: written beside their place, then renamed into it.

Shell. Never leaves a half-written file under its final name.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from when_to_invest.errors import ErrorCode, Fault


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a fresh file beside `path`, flush it to disk, then rename it to `path`.

    Raises:
        Fault: `storage_failed` when the disk refuses; `path` is then as it was before.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
        os.close(descriptor)
        fresh = Path(name)
        try:
            write(fresh)
            with fresh.open("rb+") as handle:
                os.fsync(handle.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise Fault(
            ErrorCode.STORAGE_FAILED,
            f"{path.name} cannot be written: {error.strerror or type(error).__name__}",
            fix="check free space and permissions below --home",
        ) from error
