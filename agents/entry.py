"""What may be proposed from a recommendation now: one order, sized by the analysis alone.

Stage: propose (LLM shell, pure). The size never comes from a language model. The gate
judges the proposal again from its own facts; this only keeps a prompt from moving it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from when_to_invest.decision.recommendation import Action, Recommendation, Tranche
from when_to_invest.intents import Side
from when_to_invest.money import share_usd

_ENTERING: Final = frozenset({Action.INVEST_NOW, Action.STAGE})


@dataclass(frozen=True, slots=True)
class Entry:
    """An order worth proposing: at most `notional_usd` of `instrument`."""

    instrument: str
    side: Side
    notional_usd: Decimal
    recommendation_id: str


def _is_due(tranche: Tranche, recommendation: Recommendation) -> bool:
    if tranche.due_at is None:
        return tranche.trigger is None
    return tranche.due_at <= recommendation.as_of


def entry_of(recommendation: Recommendation, *, budget_usd: Decimal | None) -> Entry | None:
    """Return the order that the recommendation calls for now; none when it calls for none.

    An immediate entry is `size_fraction` of the budget, a staged one the tranches due at
    `as_of`. Waiting and reducing propose nothing.
    """
    if budget_usd is None or recommendation.action not in _ENTERING:
        return None
    if recommendation.action is Action.INVEST_NOW:
        notional_usd = share_usd(budget_usd, recommendation.size_fraction)
    else:
        due = (item for item in recommendation.schedule if _is_due(item, recommendation))
        notional_usd = sum((share_usd(budget_usd, item.fraction) for item in due), Decimal(0))
    if notional_usd <= 0:
        return None
    return Entry(recommendation.instrument, Side.BUY, notional_usd, recommendation.id)
