"""The clock that all processes of a home share: the wall's, or a replayed one.

Recorded data run on a replay clock, a small file that a person or the demo moves forward.
Staleness, windows and expiry are judged on it, never on the machine's own time.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from home.paths import Home
from when_to_invest.canonical import utc_text
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode

STEP_TOLERANCE_S: Final = 5.0
"""How far the wall's clock may be set while a process runs."""
DRIFT_RATIO: Final = 0.001
"""How much faster or slower it may be made to run; time daemons slew by half of that at most."""
LONGEST_DRIFT_S: Final = 86_400.0
"""Between two looks no more drift is believed than in so many seconds, however far apart they are."""


class Clock(Protocol):
    """Tells the present instant, aware and in UTC."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        ...


def machine_time() -> datetime:
    """Return what the machine's clock says, believed by nobody: only for what tightens."""
    return datetime.now(UTC)


def _steady_s() -> float:
    """Return seconds of a counter that nobody sets and that counts while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class WallClock:
    """The machine's clock, for as long as the time that has passed bears it out.

    A clock that was set meanwhile would end windows, ages and expiries early, or never. What is
    expected of it follows what it says, by no more than it may drift between two looks: so a
    step is told from years of slewing, and many small steps are no way round.
    """

    def __init__(
        self, *, wall: Callable[[], datetime] = machine_time, steady_s: Callable[[], float] = _steady_s
    ) -> None:
        self._wall, self._steady_s = wall, steady_s
        self._lock = threading.Lock()
        self._looked_s, self._opened_at = steady_s(), wall()
        self._ahead_s = -self._looked_s
        """What it is expected to be ahead of the counter, in seconds since it was opened."""

    def now(self) -> datetime:
        """Return the machine's time in UTC.

        Raises:
            Fault: `clock_back` or `clock_ahead` when it was set since this clock was opened.
        """
        with self._lock:
            before_s = self._steady_s()
            instant = self._wall()
            after_s = self._steady_s()
            told_s = (instant - self._opened_at).total_seconds()
            drift_s = DRIFT_RATIO * min(max(after_s - self._looked_s, 0.0), LONGEST_DRIFT_S)
            tolerance_s = STEP_TOLERANCE_S + drift_s
            if told_s - before_s < self._ahead_s - tolerance_s:
                raise _was_set(ErrorCode.CLOCK_BACK, "back", instant)
            if told_s - after_s > self._ahead_s + tolerance_s:
                raise _was_set(ErrorCode.CLOCK_AHEAD, "ahead", instant)
            # It lay between the two looks at the counter; the nearest of that is what need be followed.
            seen_s = min(max(self._ahead_s, told_s - after_s), told_s - before_s)
            self._ahead_s += min(max(seen_s - self._ahead_s, -drift_s), drift_s)
            self._looked_s = after_s
            return instant


def _was_set(code: ErrorCode, direction: str, instant: datetime) -> Fault:
    return Fault(
        code,
        f"the machine's clock was set {direction}: it says {utc_text(instant)}, against the time that passed",
        fix="set the clock right; if it was wrong before, start the services again",
    )


class FixedClock:
    """A clock that stands where it was put; for tests and single computations."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def now(self) -> datetime:
        """Return the instant last set."""
        return self._instant

    def move_to(self, instant: datetime) -> None:
        """Set the instant."""
        self._instant = instant


class ReplayClock:
    """A clock in a file that every process of the home reads; it only moves forward."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """Return the replayed instant.

        Raises:
            Fault: `bad_config` when the clock was never set or its file is unreadable.
        """
        try:
            instant = datetime.fromisoformat(json.loads(self._path.read_text())["now"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Fault(
                ErrorCode.BAD_CONFIG,
                f"the replay clock {self._path.name} cannot be read",
                fix="set it with `when-to-invest up --replay-from DATE`",
            ) from error
        if instant.tzinfo is None:
            raise Fault(
                ErrorCode.BAD_CONFIG, "the replay clock has no time zone", fix="write it in UTC with a Z"
            )
        return instant.astimezone(UTC)

    def move_to(self, instant: datetime) -> None:
        """Move the clock forward for every process at once (an atomic rename).

        Raises:
            Fault: `bad_argument` when `instant` lies before the present one.
        """
        if self._path.exists() and instant < self.now():
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                f"the replay clock stands at {utc_text(self.now())} and never moves back",
                fix="choose a later instant, or a fresh --home",
            )
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_suffix(f".{os.getpid()}.new")
        fresh.write_text(json.dumps({"now": utc_text(instant)}))
        fresh.replace(self._path)


def clock_of(home: Home, mode: Mode) -> WallClock | ReplayClock:
    """Return the clock of this mode: replayed data never run on the wall's time."""
    return ReplayClock(home.clock) if mode is Mode.REPLAY else WallClock()
