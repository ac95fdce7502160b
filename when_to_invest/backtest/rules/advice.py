"""The live decision code, followed to the letter.

Stage: backtest (pure). Calls `decision.recommend.recommend` on what had closed and on what the
account holds, with nothing in between: what is tested here is what advises live.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from when_to_invest.backtest.view import MarketView
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action, Recommendation, Tranche
from when_to_invest.errors import ErrorCode, Fault

LIFETIME_BARS: Final = 3
"""A recommendation expires after three trading days; the next is asked for then."""
_ABSTENTIONS: Final = frozenset({ErrorCode.HISTORY_TOO_SHORT, ErrorCode.STALE_DATA, ErrorCode.CORRUPT_DATA})


class FollowsAdvice:
    """Asks for a recommendation every `every` bars and does what it says.

    `invest_now` buys what it says to add, `stage` the tranches of its schedule: the first at
    once, later ones when their date has come or their trigger holds, as long as no newer answer
    says otherwise. `wait` and `hold` do nothing and end a schedule, `reduce` sells down to its
    size and ends it too. `abstentions` counts refusals to advise.

    Raises:
        Fault: `bad_argument` unless `every` is at least 1.
    """

    name = "decision"

    def __init__(self, every: int = LIFETIME_BARS) -> None:
        if every < 1:
            raise Fault(ErrorCode.BAD_ARGUMENT, f"asking every {every} bars", fix="choose at least 1")
        self._every = every
        self._asked = 0
        self._plan: tuple[Tranche, ...] = ()
        self.abstentions = 0

    def decide(self, view: MarketView) -> float | None:
        """Return the weight that following a fresh recommendation leads to."""
        is_due = self._asked % self._every == 0
        self._asked += 1
        if not is_due:
            return None
        try:
            advice = recommend(view.snapshot(), held_fraction=min(1.0, max(0.0, view.weight)))
        except Fault as fault:
            if fault.code not in _ABSTENTIONS:
                raise
            self.abstentions += 1
            return None
        return self._follow(advice, view.now)

    def _follow(self, advice: Recommendation, now: datetime) -> float | None:
        if advice.action is not Action.STAGE:
            self._plan = ()
            return follow(advice)
        # A schedule that runs is kept: asking again must not begin it anew.
        plan = self._plan or advice.schedule
        facts = {item.id: item.value for item in advice.evidence}
        due = tuple(step for step in plan if is_due(step, now, facts))
        self._plan = tuple(step for step in plan if step not in due)
        wanted = sum(step.fraction for step in due)
        return _target(advice, min(advice.size_fraction, wanted)) if due else None


def follow(advice: Recommendation) -> float | None:
    """Return the weight of one who follows `advice` from what it says is held, None for no order.

    Of a staged entry, the first step.
    """
    match advice.action:
        case Action.INVEST_NOW:
            return _target(advice, advice.size_fraction)
        case Action.STAGE:
            return _target(advice, advice.schedule[0].fraction)
        case Action.REDUCE if advice.held_fraction > advice.size_fraction:
            return advice.size_fraction
        case _:
            return None


def is_due(step: Tranche, now: datetime, facts: Mapping[str, float]) -> bool:
    """Whether a step's date has come, or its trigger holds on the newest evidence."""
    has_come = step.due_at is not None and step.due_at <= now
    return has_come or (step.trigger is not None and step.trigger.holds(facts[step.trigger.metric]))


def _target(advice: Recommendation, more: float) -> float:
    return min(1.0, advice.held_fraction + more)
