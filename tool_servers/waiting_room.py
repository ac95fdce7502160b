"""How many calls may be inside at once: those that are answered, and those that wait for it.

Whoever finds the room full is told so at once, and nothing was done; a call that waited for
ever would be repeated by its caller and make matters worse. It must never let a call wait
outside, and never turn away one that there is room for.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from when_to_invest.errors import ErrorCode, Fault

MOST_INSIDE: Final = 128
"""A few times as many as are answered within a tenth of a second."""


@dataclass(slots=True)
class WaitingRoom:
    """Places for `most` calls, half of them for any one caller; safe to use from several threads."""

    most: int = MOST_INSIDE
    _inside: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def place(self, caller: str) -> Iterator[None]:
        """Hold a place for `caller` during the body.

        Raises:
            Fault: `overloaded` when there is none, or the caller has half of all.
        """
        with self._lock:
            self._demand(self._inside.total(), most=self.most)
            self._demand(self._inside[caller], most=max(1, self.most // 2))
            self._inside[caller] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[caller] -= 1
                if not self._inside[caller]:
                    del self._inside[caller]

    @staticmethod
    def _demand(inside: int, *, most: int) -> None:
        if inside >= most:
            raise overloaded(inside, most=most)


def overloaded(inside: int, *, most: int) -> Fault:
    """Return the fault of a call that comes when `inside` are in already and `most` may be."""
    return Fault(
        ErrorCode.OVERLOADED,
        f"{inside} calls wait or are being answered and at most {most} may; this one is"
        f" {inside + 1 - most} too many, and nothing was done or recorded",
        fix=f"send it again, with the same request_id, in a second: it passes once fewer than {most} wait",
    )
