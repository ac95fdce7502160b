"""Waits for a moment in which nobody asks anything, for what may wait that long.

Nothing that must be durable before an answer is ever left to it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

QUIET_S: Final = 0.05
"""How long nothing was asked before what waits is done: a few times what a sitting takes."""


@dataclass(slots=True)
class Lull:
    """Calls one step, always the same, once it was not asked for again during `quiet_s`."""

    quiet_s: float = QUIET_S
    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _due_s: float = 0.0
    _is_watched: bool = False

    def __call__(self, step: Callable[[], None]) -> None:
        """Have `step` called after the lull, by another thread; at once when there can be none."""
        with self._lock:
            self._due_s = self.now() + self.quiet_s
            if self._is_watched:
                return
            self._is_watched = True
        try:
            threading.Thread(target=self._watch, args=(step,), name="lull", daemon=True).start()
        except RuntimeError:
            self._is_watched = False
            step()

    def _watch(self, step: Callable[[], None]) -> None:
        while (left_s := self._left_s()) > 0:
            self.pause(left_s)
        step()

    def _left_s(self) -> float:
        """Return how long is left; when nothing is, nobody watches any longer."""
        with self._lock:
            left_s = self._due_s - self.now()
            self._is_watched = left_s > 0
            return left_s
