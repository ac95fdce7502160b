"""Leaves a venue alone that has failed several times in a row. Stage: executor → venue.

Cancels and the one question that finds out whether it is back always pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

MOST_FAILURES: Final = 5
COOL_DOWN_S: Final = 10.0


class Breaker:
    """Counts failures in a row; `monotonic` tells seconds on a clock that never goes back."""

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failures = 0
        self._try_at = monotonic()

    @property
    def is_open(self) -> bool:
        """Whether the venue has failed too often, whoever may ask it now."""
        return self._failures >= MOST_FAILURES

    def lets_pass(self) -> bool:
        """Return whether a request may begin; one in each cool-down may while it is open."""
        if not self.is_open:
            return True
        if self._monotonic() < self._try_at:
            return False
        self._try_at = self._monotonic() + COOL_DOWN_S
        return True

    def note_answer(self) -> None:
        """Note that the venue answered, whatever it said."""
        self._failures = 0

    def note_silence(self) -> None:
        """Note that it did not, or that something else answered in its place."""
        self._failures += 1
        if self._failures == MOST_FAILURES:
            self._try_at = self._monotonic() + COOL_DOWN_S
