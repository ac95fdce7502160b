"""Who watches a long call: its caller is told how far it is, and may end it; so may its time.

Work runs in a thread of its own. It must call `step` often; a thread cannot be stopped from
outside.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from mcp.server.mcpserver.context import Context

LONGEST_CALL_S: Final = 30.0
TELL_EVERY_S: Final = 0.25
ARGUMENT: Final = "watch"
"""A tool's function that takes an argument of this name is given a `Watch`; callers never see it."""
Report = Callable[[int, int], None]


def _nobody(done: int, total: int) -> None:
    """Tell nobody."""


def _nothing() -> None:
    """Go on."""


@dataclass(slots=True)
class Watch:
    """One call under way. `ended` raises when the caller is gone; `now_s` is a monotonic clock."""

    deadline_s: float = float("inf")
    now_s: Callable[[], float] = time.monotonic
    report: Report = _nobody
    ended: Callable[[], None] = _nothing
    _is_over: bool = False
    _tell_from_s: float = float("-inf")

    def step(self, done: int, total: int) -> None:
        """Say that `done` of `total` parts are done.

        Raises:
            Fault: `time_limit` when the call has taken too long or is over. What ends a task
                whose caller is gone passes through.
        """
        self.ended()
        if self._is_over:
            raise Fault(ErrorCode.TIME_LIMIT, "nobody waits for this any more", fix="ask again")
        now_s = self.now_s()
        if now_s > self.deadline_s:
            raise Fault(
                ErrorCode.TIME_LIMIT,
                f"this would take too long; {done} of {total} parts were done when its time was over",
                fix="ask for a shorter period, or run it from the command line",
            )
        if now_s >= self._tell_from_s:
            self._tell_from_s = now_s + TELL_EVERY_S
            self.report(done, total)

    def end(self) -> None:
        """Let the next step be the last: the call is over, whatever its work still does."""
        self._is_over = True


def watch_of(context: Context[Any, Any], *, longest_s: float) -> Watch:
    """Return the watch of a call; use it only in the thread that the call's work runs in."""
    import anyio.from_thread

    def report(done: int, total: int) -> None:
        told = f"{done} of {total} parts"
        anyio.from_thread.run(context.report_progress, float(done), float(total), told)

    return Watch(time.monotonic() + longest_s, report=report, ended=anyio.from_thread.check_cancelled)
