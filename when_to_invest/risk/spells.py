"""Since when a breaker has been on: the first day of its present unbroken spell.

Stage: risk (pure). Days are read again as they stood then, from the newest back, in stretches
that double, so that a spell costs about its own length and a calm market nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from when_to_invest.features.daily import DailyBars, closed_instant
from when_to_invest.features.readings import PEAK_WINDOW, read_days
from when_to_invest.features.risk_frame import RiskFrame
from when_to_invest.risk.market_breakers import (
    VOLATILITY_SPIKE,
    BreakerReading,
    BreakerRule,
    read_breaker,
    rules_of,
)

_FIRST_LOOK: Final = 16
_FIRST_DAY: Final = PEAK_WINDOW
"""Before a year has passed no breaker is read: a spell is dated from there at the earliest."""


def dated(
    breakers: tuple[BreakerReading, ...], bars: DailyBars, frame: RiskFrame
) -> tuple[BreakerReading, ...]:
    """Return the newest day's breakers, each that is on with the close at which its spell began."""
    rules = {rule.id: rule for rule in rules_of(bars.session)}
    return tuple(
        replace(each, since=closed_instant(bars, spell_start(rules[each.id], bars, frame)))
        if each.is_on
        else each
        for each in breakers
    )


def spell_start(rule: BreakerRule, bars: DailyBars, frame: RiskFrame) -> int:
    """Return the first day, as a row, of the unbroken spell in which `rule` is on at the newest."""
    start, length = len(bars) - 1, _FIRST_LOOK
    while start > _FIRST_DAY:
        first = max(_FIRST_DAY, start - length)
        seen = read_days(bars, frame, first=first, stop=start, with_median=rule.id == VOLATILITY_SPIKE)
        for readings in reversed(seen):
            if not read_breaker(rule, readings, bars.session).is_on:
                return start
            start -= 1
        length *= 2
    return start
