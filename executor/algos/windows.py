"""A plan's window in equal stretches of time, exact to the microsecond. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from executor.algos.progress import Progress

_TICK: Final = timedelta(microseconds=1)


def stretch_at(now: datetime, progress: Progress, *, count: int) -> int:
    """Return in which of `count` equal stretches of the window it is now, from 0."""
    window = progress.ends_at - progress.starts_at
    return count * ((now - progress.starts_at) // _TICK) // (window // _TICK)


def start_of(index: int, progress: Progress, *, count: int) -> datetime:
    """Return the first microsecond of one of `count` equal stretches of the window."""
    window = (progress.ends_at - progress.starts_at) // _TICK
    return progress.starts_at + -(-window * index // count) * _TICK
