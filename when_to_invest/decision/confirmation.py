"""Hysteresis: an answer tightens at once, and eases only after days in a row that allow it.

Stage: decision (pure), sixth step. What stands is what every one of the last `CONFIRM_DAYS`
closes would have allowed: the tightest of their answers, and the smallest of their sizes. So a
halt, a breaker or a call to reduce acts on its day, and one calm day after it eases nothing.
There is no memory but the bars: the same days give the same answer, whoever asks and when.
In a pause (a halt, or a sharp fall under way) nothing is sold, whatever came before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from when_to_invest.decision.evidence import DAYS, RATIO, EvidenceBook
from when_to_invest.decision.recent import Day
from when_to_invest.decision.recommendation import Action, RuleStep

CONFIRM_DAYS: Final = 6
"""Closes in a row, today's included: nothing is eased within a week of five days of a tightening."""
TIGHTNESS: Final = {Action.INVEST_NOW: 0, Action.STAGE: 1, Action.WAIT: 2, Action.REDUCE: 3}
"""What the rules alone may answer, loosest first."""
_ADDING: Final = frozenset({Action.INVEST_NOW, Action.STAGE})
_BY: Final = "decision.confirmation"


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer that stands, before anything is held.

    `raw`: what today's facts alone would say. `allowed`: fraction of the budget up to which may
    be added, `keep`: up to which a position may be kept. `scale`: what volatility allows.
    `days_left`: further closes that must allow it before `raw` could stand; 0 when it does.
    `held_by`: the newest day that still holds it back.
    """

    action: Action
    raw: Action
    allowed: float
    keep: float
    scale: float
    is_paused: bool
    days_left: int
    held_by: Day | None


def confirm(before: Sequence[Day], today: Day) -> Standing:
    """Return what stands today after the days `before` (oldest first; older ones do not count)."""
    window = (*before[max(0, len(before) - CONFIRM_DAYS + 1) :], today)
    raw = today.decision.action
    action = max((day.decision.action for day in window), key=TIGHTNESS.__getitem__)
    if today.is_paused and action is Action.REDUCE:
        action = Action.WAIT
    tighter = [at for at, day in enumerate(window) if TIGHTNESS[day.decision.action] > TIGHTNESS[raw]]
    is_held = action is not raw
    return Standing(
        action=action,
        raw=raw,
        allowed=min(map(allowance, window)),
        keep=_keep(window, action),
        scale=today.sizing.volatility_scale,
        is_paused=today.is_paused,
        days_left=tighter[-1] + 1 + CONFIRM_DAYS - len(window) if is_held else 0,
        held_by=window[tighter[-1]] if is_held else None,
    )


def allowance(day: Day) -> float:
    """Return the fraction of the budget up to which that day's answer would have added."""
    return day.decision.size_fraction if day.decision.action in _ADDING else 0.0


def _keep(window: Sequence[Day], action: Action) -> float:
    """Return what may be kept: today's, and while reducing no more than any day that said so."""
    today = window[-1]
    keep = max(reduced_size(today), allowance(today))
    if action is not Action.REDUCE:
        return keep
    return min(keep, *(reduced_size(day) for day in window if day.decision.action is Action.REDUCE))


def reduced_size(day: Day) -> float:
    """Return what trend and volatility allow a position to be; breakers cap additions only."""
    return round(day.sizing.trend_tranche * day.sizing.volatility_scale, 6)


def enter(book: EvidenceBook, standing: Standing) -> tuple[RuleStep, ...]:
    """Enter what stands as evidence; return the step that says what is held back, if anything is."""
    book.add("confirmation.days_needed", float(CONFIRM_DAYS), unit=DAYS, by=_BY)
    book.add("confirmation.days_left", float(standing.days_left), unit=DAYS, by=_BY)
    book.add("confirmation.allowed", standing.allowed, unit=RATIO, by=_BY)
    book.add("confirmation.keep", standing.keep, unit=RATIO, by=_BY)
    if standing.held_by is None:
        return ()
    text = (
        f"Today's facts alone would say {words(standing.raw)}, but on {standing.held_by.closed_at:%Y-%m-%d} "
        f"they said {words(standing.held_by.decision.action)}. An answer is eased only after "
        f"{CONFIRM_DAYS} closes in a row allow it: {standing.days_left} more at the earliest."
    )
    facts = ("confirmation.days_needed", "confirmation.days_left")
    return (RuleStep(rule="confirmation", outcome="held_back", text=text, evidence=facts),)


def words(action: Action) -> str:
    """Return an action as a person would say it."""
    return action.value.replace("_", " ")
