"""The advice: the rules' answer of today, what stands after the days before, and what to do from there.

Stage: decision (pure), after the rules. Walks raw answer, hysteresis and holdings in this order,
for today and for any "what if", so that both follow the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from when_to_invest.decision.confirmation import CONFIRM_DAYS, Standing, confirm, enter
from when_to_invest.decision.eligibility import FEWEST_DAYS
from when_to_invest.decision.holdings import Stance, enter_holdings, settle
from when_to_invest.decision.recent import Day, Question, day_of, past_days
from when_to_invest.decision.recommendation import RuleStep
from when_to_invest.decision.rules import Case
from when_to_invest.features.daily import closed_instant

if TYPE_CHECKING:
    from when_to_invest.market import Snapshot
    from when_to_invest.models.past import Past


@dataclass(frozen=True, slots=True)
class Advice:
    """Today's case with the answers of the days before (oldest first) and what is held."""

    case: Case
    today: Day
    before: tuple[Day, ...]
    closed_at: datetime
    held: float
    standing: Standing
    stance: Stance

    def what_if(self, case: Case) -> WhatIf:
        """Return what would be advised had today, or every day that counts, been `case`."""
        return WhatIf(self, day_of(case, self.closed_at))

    def explained(self) -> tuple[RuleStep, ...]:
        """Enter what stands and what is held as evidence; return the whole path to the answer."""
        book = self.case.book
        return (
            *self.today.decision.steps,
            *enter(book, self.standing),
            *enter_holdings(book, self.standing, self.stance),
        )


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What would be advised had today been otherwise."""

    advice: Advice
    today: Day

    @property
    def at_once(self) -> Stance:
        """Had only today been so."""
        return settle(confirm(self.advice.before, self.today), held=self.advice.held)

    @property
    def lasting(self) -> Stance:
        """Had every day that counts been so."""
        return settle(confirm((self.today,) * (CONFIRM_DAYS - 1), self.today), held=self.advice.held)


def advise(snapshot: Snapshot, past: Past, case: Case, *, horizon: int, held: float) -> Advice:
    """Return the advice at the newest day; days on which the analysis would have abstained do not count.

    Args:
        snapshot: the bars as they are.
        past: what was known on each of their days.
        case: today's facts.
        horizon: days ahead.
        held: fraction of the budget invested already, 0 to 1.
    """
    count = len(past.bars)
    first = max(count - CONFIRM_DAYS, FEWEST_DAYS + horizon - 1)
    asked = Question(first, count - 1, horizon, has_drop_skill=case.has_drop_skill)
    before = past_days(snapshot, past, asked)
    closed_at = closed_instant(past.bars)
    today = day_of(case, closed_at)
    standing = confirm(before, today)
    return Advice(case, today, before, closed_at, held, standing, settle(standing, held=held))
