"""How often a caller may call: one token bucket a caller, on a monotonic clock.

This protects the process, not the market; the gate counts messages in the journal for
itself and survives restarts. It must never delay a call: it lets through or refuses.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` calls at once, refilled at `per_minute` calls a minute."""

    per_minute: float = 600.0
    burst: int = 120


def rate_within(rate: Rate, *, per_minute: int) -> Rate:
    """Return `rate`, slowed to `per_minute` and at most a fifth of it at once."""
    if per_minute >= rate.per_minute:
        return rate
    return Rate(per_minute=float(per_minute), burst=max(1, min(rate.burst, per_minute // 5)))


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at_s: float


@dataclass(slots=True)
class RateLimiter:
    """Token buckets by caller; safe to use from several threads."""

    rate: Rate
    now_s: Callable[[], float] = time.monotonic
    by_caller: Mapping[str, Rate] = field(default_factory=dict)
    """Callers with a rate of their own."""
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rate_of(self, caller: str) -> Rate:
        """Return how often `caller` may call."""
        return self.by_caller.get(caller, self.rate)

    def admits(self, caller: str) -> bool:
        """Return whether `caller` may call now, and count the call if so."""
        with self._lock:
            now_s, rate = self.now_s(), self.rate_of(caller)
            bucket = self._buckets.setdefault(caller, _Bucket(float(rate.burst), now_s))
            refilled = bucket.tokens + (now_s - bucket.filled_at_s) * rate.per_minute / 60
            bucket.tokens = min(float(rate.burst), refilled)
            bucket.filled_at_s = now_s
            if bucket.tokens < 1:
                return False
            bucket.tokens -= 1
            return True
