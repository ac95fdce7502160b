"""What an analyst asks, in fixed terms: instrument, budget, horizon, and whether to act.

Stage: plan. Read from the words by rule, not by the model, so that a budget or the leave to
propose an order never comes from generated text. It must never guess: what the question does
not say stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

_AMOUNT: Final = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*(k|m)?"
_MONEY: Final = re.compile(rf"(?:\$|usd\s*){_AMOUNT}\b|\b{_AMOUNT}\s*(?:usd\b|dollars?\b|\$)", re.IGNORECASE)
_HORIZON: Final = re.compile(r"\b(\d{1,3})\s*(?:d\b|trading days?\b|days?\b)", re.IGNORECASE)
_ACT: Final = re.compile(r"\b(propose|place|order|buy|go ahead|act on)\b", re.IGNORECASE)
_DO_NOT_ACT: Final = re.compile(
    r"\b(?:do not|don't|dont|never|without|not)\b[^.?!]*\b(?:propos\w*|plac\w*|order\w*|buy\w*|act\w*)",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_SCALE: Final = {"": 1, "k": 1_000, "m": 1_000_000}
DEFAULT_HORIZON_DAYS: Final = 21
LONGEST_HORIZON_DAYS: Final = 252


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what could be read from it; `budget_usd` above zero when given."""

    text: str
    instrument: str | None
    budget_usd: Decimal | None
    horizon_days: int
    may_propose: bool


def _budget(text: str) -> Decimal | None:
    found = _MONEY.search(text)
    if found is None:
        return None
    digits, scale = (found[1], found[2]) if found[1] else (found[3], found[4])
    amount = Decimal(digits.replace(",", "")) * _SCALE[(scale or "").lower()]
    return amount if amount > 0 else None


def _horizon(text: str) -> int:
    found = _HORIZON.search(text)
    days = int(found[1]) if found else DEFAULT_HORIZON_DAYS
    return days if 1 <= days <= LONGEST_HORIZON_DAYS else DEFAULT_HORIZON_DAYS


def understand(text: str, *, instruments: Iterable[str]) -> Question:
    """Read a question by rule.

    Args:
        text: what the analyst wrote.
        instruments: ids known here; the first one that the text names, in any case, counts.
    """
    known = {name.upper(): name for name in instruments}
    named = (known.get(word.rstrip("./-").upper()) for word in _WORD.findall(text))
    return Question(
        text=text,
        instrument=next((name for name in named if name), None),
        budget_usd=_budget(text),
        horizon_days=_horizon(text),
        may_propose=bool(_ACT.search(text)) and not _DO_NOT_ACT.search(text),
    )
