"""Whether there is anything to say: enough history, fresh, and a price that moves.

Stage: decision (pure), first step. Abstains with a `Fault` rather than give a number
without a basis.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from when_to_invest.canonical import utc_text
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.features.daily import DailyBars, closed_instant
from when_to_invest.instruments import Session
from when_to_invest.market import Snapshot

FEWEST_DAYS: Final = 504
"""A year to warm up and a year to learn from; the horizon comes on top."""
LONGEST_HORIZON: Final = 126
FROZEN_DAYS: Final = 10
_MAX_AGE: Final = {Session.EXCHANGE: timedelta(days=5), Session.CONTINUOUS: timedelta(days=3)}
"""From the close of the newest day to the as-of; a long weekend fits into five days."""


def last_close(bars: DailyBars) -> datetime:
    """Return when the newest day was over."""
    return closed_instant(bars)


def check_horizon(horizon_days: int) -> None:
    """Refuse a horizon outside 1 to 126 days.

    Raises:
        Fault: `bad_argument`.
    """
    if not 1 <= horizon_days <= LONGEST_HORIZON:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"a horizon of {horizon_days} days cannot be used",
            fix=f"choose 1 to {LONGEST_HORIZON} days",
        )


def check_history(snapshot: Snapshot, bars: DailyBars, *, horizon_days: int) -> None:
    """Refuse history that is too short, too old, or without movement.

    Raises:
        Fault: `history_too_short` or `stale_data`.
    """
    name, needed = snapshot.instrument.id, FEWEST_DAYS + horizon_days
    if len(bars) < needed:
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT,
            f"{name} has {len(bars)} closed days as of {utc_text(snapshot.as_of)}; {needed} are needed",
            fix="choose a later as-of, a shorter horizon, or import more history",
        )
    closed = last_close(bars)
    if snapshot.as_of - closed > _MAX_AGE[bars.session]:
        raise Fault(
            ErrorCode.STALE_DATA,
            f"the newest close of {name} is of {utc_text(closed)}, too old as of {utc_text(snapshot.as_of)}",
            fix=f"import newer bars, or choose --as-of {closed:%Y-%m-%d}",
        )
    if bool((bars.close[-FROZEN_DAYS:] == bars.close[-1]).all()):
        raise Fault(
            ErrorCode.STALE_DATA,
            f"the close of {name} has not moved for {FROZEN_DAYS} days: the feed looks frozen",
            fix="check the data; a price that does not move has no risk to forecast",
        )
