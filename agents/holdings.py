"""Which fraction of the budget the account already holds, as the orders server tells it.

Stage: plan (LLM shell, pure). Reads the newest portfolio of the turn; guesses nothing: without
a budget, a portfolio or a price there is no fraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from agents.transcript import Turn
from when_to_invest.money import exact_decimal

PORTFOLIO_TOOL: Final = "orders__get_portfolio"
_WHOLE: Final = Decimal(1)
_STEP: Final = Decimal("0.000001")


def held_fraction_of(turn: Turn) -> float | None:
    """Return what is held of the instrument asked about over the budget, 0 to 1; None if unknown."""
    told = turn.structured(PORTFOLIO_TOOL)
    budget_usd = turn.request.budget_usd
    if not told or budget_usd is None:
        return None
    value_usd = _value_usd(told[-1], turn.request.instrument)
    if value_usd is None:
        return None
    return float(min(_WHOLE, max(Decimal(0), value_usd / budget_usd)).quantize(_STEP))


def _value_usd(portfolio: Mapping[str, Any], instrument: str) -> Decimal | None:
    """Return the marked value of the instrument; 0 without a position, None without a price."""
    for row in portfolio.get("positions") or ():
        if row.get("instrument") == instrument:
            try:
                return exact_decimal(row.get("value_usd"))
            except ValueError:
                return None
    return Decimal(0)
