"""What a person asked the agent: the question and the bounds that no model may move.

Stage: plan (LLM shell). Made by the caller, carried through the whole run, never written
by a language model.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from when_to_invest.decision.eligibility import LONGEST_HORIZON
from when_to_invest.instruments import InstrumentId
from when_to_invest.money import PositiveDecimal
from when_to_invest.values import Value

Question = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
ThreadId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
"""Name of a conversation; the same name continues it."""
LONGEST_HORIZON_DAYS: Final = LONGEST_HORIZON


class Request(Value):
    """One question with its bounds.

    `budget_usd` is what may be invested in total; without one nothing is proposed.
    `may_propose` says whether the person asked to act. `as_of` is a date or an instant;
    without one the home's clock decides.
    """

    question: Question
    instrument: InstrumentId
    budget_usd: PositiveDecimal | None = None
    horizon_days: int = Field(default=21, ge=1, le=LONGEST_HORIZON_DAYS)
    may_propose: bool = False
    as_of: Annotated[str, StringConstraints(max_length=40)] | None = None

    @property
    def can_act(self) -> bool:
        """Whether a proposal is allowed at all: somebody asked, and said how much."""
        return self.may_propose and self.budget_usd is not None
