"""The live decision code, followed to the letter.

Stage: backtest (pure). Calls `decision.recommend.recommend` on what had closed, with nothing in
between: what is tested here is what advises live.
"""

from __future__ import annotations

from typing import Final

from when_to_invest.backtest.view import MarketView
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action, Recommendation
from when_to_invest.errors import ErrorCode, Fault

MONTH_BARS: Final = 21
_ABSTENTIONS: Final = frozenset({ErrorCode.HISTORY_TOO_SHORT, ErrorCode.STALE_DATA})


class FollowsAdvice:
    """Asks for a recommendation every `every` bars and does what it says.

    `invest_now` buys up to its size, `stage` the first tranche of its schedule, `wait` nothing,
    `reduce` sells down to its size. Between two recommendations nothing happens: an advice is
    acted on at once or made again. `abstentions` counts refusals to advise.

    Raises:
        Fault: `bad_argument` unless `every` is at least 1.
    """

    name = "decision"

    def __init__(self, every: int = MONTH_BARS) -> None:
        if every < 1:
            raise Fault(ErrorCode.BAD_ARGUMENT, f"asking every {every} bars", fix="choose at least 1")
        self._every = every
        self._asked = 0
        self.abstentions = 0

    def decide(self, view: MarketView) -> float | None:
        """Return the weight that following a fresh recommendation leads to."""
        is_due = self._asked % self._every == 0
        self._asked += 1
        if not is_due:
            return None
        try:
            advice = recommend(view.snapshot())
        except Fault as fault:
            if fault.code not in _ABSTENTIONS:
                raise
            self.abstentions += 1
            return None
        return follow(advice, weight=view.weight)


def follow(advice: Recommendation, *, weight: float) -> float | None:
    """Return the target weight of one who holds `weight` and follows `advice`, None for no order."""
    match advice.action:
        case Action.INVEST_NOW:
            target = max(weight, advice.size_fraction)
        case Action.STAGE:
            target = max(weight, min(advice.size_fraction, weight + advice.schedule[0].fraction))
        case Action.REDUCE:
            target = min(weight, advice.size_fraction)
        case _:
            return None
    return None if target == weight else min(1.0, target)
