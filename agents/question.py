"""A person's sentence as a question with bounds: instrument, budget, horizon, wish to act.

Stage: before plan (LLM shell, pure). Read by rule, never by a model, so that no prompt
widens a bound. When in doubt nothing is proposed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from agents.numerals import Unit, numerals
from agents.prose import normalised
from agents.request import LONGEST_HORIZON_DAYS

DEFAULT_HORIZON_DAYS: Final = 21
_TRADING_DAYS: Final = {"day": 1, "session": 1, "week": 5, "month": 21, "quarter": 63, "year": 252}
_HORIZON: Final = re.compile(r"\b(\d{1,3})[\s-]?(day|session|week|month|quarter|year)s?\b", re.IGNORECASE)
_WISH: Final = re.compile(
    r"\b(?:propose (?:it|an? order|the order|to the gate)|go ahead|place (?:it|an? order|the order)|"
    r"act on it|do it|buy (?:it|some)|please (?:buy|invest)|(?:and|then|so) (?:buy|invest)|"
    r"^(?:buy|invest))\b",
    re.IGNORECASE,
)
_DOUBT: Final = re.compile(
    r"\b(?:don't|do not|never|without|not) (?:\w+ ){0,2}(?:propose|buy|invest|act|place|do)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Question:
    """What was understood; none where the sentence does not say."""

    text: str
    instrument: str | None
    budget_usd: Decimal | None
    horizon_days: int
    may_propose: bool


def understand(text: str, *, instruments: Sequence[str]) -> Question:
    """Read one sentence; `instruments` are the ids that may be named in it.

    The first amount in dollars is the budget, and the first span of time the horizon, in
    trading days from 1 to 252. Only a request in so many words asks for a proposal.
    """
    shown = normalised(text)
    return Question(
        text=text,
        instrument=_instrument(shown, instruments),
        budget_usd=_budget_usd(shown),
        horizon_days=_horizon_days(shown),
        may_propose=_WISH.search(shown) is not None and _DOUBT.search(shown) is None,
    )


def _instrument(text: str, instruments: Sequence[str]) -> str | None:
    """Return the instrument that is named first, as a whole word in any case."""
    places = {
        found.start(): name
        for name in instruments
        if (found := re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w/-])", text, re.IGNORECASE))
    }
    return places[min(places)] if places else None


def _budget_usd(text: str) -> Decimal | None:
    amounts = [item.value for item in numerals(text) if item.unit is Unit.MONEY and item.value > 0]
    return amounts[0] if amounts else None


def _horizon_days(text: str) -> int:
    found = _HORIZON.search(text)
    if found is None:
        return DEFAULT_HORIZON_DAYS
    days = int(found[1]) * _TRADING_DAYS[found[2].lower()]
    return min(LONGEST_HORIZON_DAYS, max(1, days))
