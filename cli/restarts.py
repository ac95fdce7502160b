"""How often a crashed service is started again: with growing pauses, and not for ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Pause before each restart within the window; after the last one the service stays down."""
WINDOW_S: Final = 300.0


@dataclass(slots=True)
class RestartBudget:
    """Counts one service's restarts in the last `WINDOW_S`, on a monotonic clock."""

    _restarted_at_s: list[float] = field(default_factory=list)

    def next_pause_s(self, now_s: float) -> float | None:
        """Return how long to wait before restarting now; none when the budget is spent."""
        self._restarted_at_s = [at_s for at_s in self._restarted_at_s if now_s - at_s < WINDOW_S]
        used = len(self._restarted_at_s)
        if used >= len(PAUSES_S):
            return None
        self._restarted_at_s.append(now_s)
        return PAUSES_S[used]
