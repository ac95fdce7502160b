"""How a run ends when workers cannot do it: one wording, wherever the workers are.

Shell. Says that nothing was changed, because work has no effects.
"""

from __future__ import annotations

from when_to_invest.errors import ErrorCode, Fault


def lost(why: str) -> Fault:
    """Return the fault of a run whose workers went away or cannot be reached."""
    return Fault(
        ErrorCode.SERVICE_UNAVAILABLE, why, fix="look at the workers and try again; nothing was changed"
    )


def deadly(key: str, *, deaths: int) -> Fault:
    """Return the fault of a task that ended `deaths` workers, one after another."""
    return Fault(
        ErrorCode.SERVICE_UNAVAILABLE,
        f"task {key!r} ended all {deaths} workers that tried it, perhaps for want of memory",
        fix="give smaller tasks, or workers with more memory; nothing was changed",
    )


def too_long(longest_task_s: float) -> Fault:
    """Return the fault of a run that waited longer than `longest_task_s` for a result."""
    return Fault(
        ErrorCode.SERVICE_UNAVAILABLE,
        f"no worker finished a task within {longest_task_s:g} s",
        fix="start workers, or give smaller tasks",
    )
