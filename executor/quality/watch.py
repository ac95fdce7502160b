"""Looks at execution again and again, and says what has become abnormal and what is over.

Stage: journal → whoever tells people, beside the executor's rounds. It remembers which alarms stand
and nothing else; it must never trade, halt, or read a clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from executor.quality.alarms import Alert, alarms
from executor.quality.analysis import measured
from home.alarms import WINDOW_S, AlarmSettings
from when_to_invest.history import DecisionRecord


@dataclass(frozen=True, slots=True)
class News:
    """What has begun since the last look, what has ended, and everything that stands now."""

    begun: tuple[Alert, ...]
    over: tuple[Alert, ...]
    standing: tuple[Alert, ...]


class Watch:
    """Remembers the alarms of the last look."""

    def __init__(self, bounds: AlarmSettings) -> None:
        self._bounds = bounds
        self._standing: tuple[Alert, ...] = ()

    def look(self, records: Iterable[DecisionRecord], *, now: datetime) -> News:
        """Return the news at `now`; `records` are at least those that are open or changed lately."""
        before = {(alert.kind, alert.scope): alert for alert in self._standing}
        orders = [order for each in measured(lately(records, now=now), {}, now=now) for order in each.orders]
        standing = alarms(orders, self._bounds, standing=self._standing, now=now)
        after = {(alert.kind, alert.scope): alert for alert in standing}
        self._standing = standing
        return News(
            begun=tuple(alert for key, alert in after.items() if key not in before),
            over=tuple(alert for key, alert in before.items() if key not in after),
            standing=standing,
        )


def lately(records: Iterable[DecisionRecord], *, now: datetime) -> list[DecisionRecord]:
    """Return the records that can still raise an alarm: open ones, and those that changed in the window."""
    since = now - timedelta(seconds=WINDOW_S)
    return [
        record for record in records if record.is_open or (record.events and record.events[-1].at >= since)
    ]
