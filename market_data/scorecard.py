"""Scores every archived recommendation against the bars that are known by an instant.

Shell, read-only: it reads the archive and the present bars, and never the recommendation's
future at the time it was made. A record that was altered is left out and named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from home.paths import Home
from market_data.archive import load, stored_ids
from market_data.source import snapshot
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.evaluation.scorecard import Followed, Scorecard, distinct, follow, groups, scored
from when_to_invest.features.daily import DailyBars, daily_bars

OVERLAP: Final = (
    "n counts one outcome an instrument and day; n_effective those that lie a whole horizon apart, by "
    "which few is judged. Instruments that move together are still counted as if they did not"
)


def scorecard(
    home: Home,
    *,
    now: datetime,
    instrument: str | None = None,
    step: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005 - by default nobody counts
) -> Scorecard:
    """Return the scores of all recommendations, or of those for one instrument, as of `now`.

    A record that is damaged, or whose instrument is gone, becomes a note, never an error.
    `step` is told before each record how many were read, of how many; what it raises ends this.
    """
    present = _Present(home, now)
    notes: list[str] = []
    followed: list[Followed] = []
    stored = tuple(stored_ids(home))
    for count, identity in enumerate(stored):
        step(count, len(stored))
        try:
            found = _follow(home, identity, present=present)
        except Fault as fault:
            notes.append(f"{identity}: {fault.message}")
            continue
        if instrument is None or found.given.instrument == instrument:
            followed.append(found)
    unlike = distinct(followed)
    if repeated := len(followed) - len(unlike):
        notes.append(f"{repeated} repeat the instrument, day and horizon of another and count once")
    if len(unlike) > 1:
        notes.append(OVERLAP)
    listed = sorted(unlike, key=lambda each: (each.given.as_of, each.given.id))
    return Scorecard(
        as_of=now,
        n=len(unlike),
        groups=groups(unlike),
        recommendations=tuple(scored(each) for each in listed),
        notes=tuple(notes),
    )


@dataclass(slots=True)
class _Present:
    """The bars known at `now`, each instrument's read once."""

    home: Home
    now: datetime
    known: dict[str, DailyBars] = field(default_factory=dict)

    def bars(self, instrument: str) -> DailyBars:
        """Return an instrument's days; raises what `snapshot` and `daily_bars` raise."""
        if instrument not in self.known:
            self.known[instrument] = daily_bars(snapshot(self.home, instrument, as_of=self.now))
        return self.known[instrument]


def _follow(home: Home, identity: str, *, present: _Present) -> Followed:
    """Return a stored recommendation with the closes from its own day on."""
    given, seen = load(home, identity)
    found = follow(given, day=int(daily_bars(seen).day[-1]), bars=present.bars(given.instrument))
    if found is None:
        raise Fault(
            ErrorCode.NO_DATA,
            f"the day it was made on is not among the bars of {given.instrument} known now",
            fix="import the bars again, or move the home's clock forward",
        )
    return found
