"""Getting in: at once, in a fixed mix, or in equal monthly parts.

Stage: backtest (pure). The baselines every other strategy is held against.
"""

from __future__ import annotations

from typing import Final

from when_to_invest.backtest.rules.months import MonthEnds
from when_to_invest.backtest.view import MarketView
from when_to_invest.errors import ErrorCode, Fault

USUAL_MIX: Final = 0.6
PLAN_MONTHS: Final = 12


class BuyAndHold:
    """Everything at the first chance, and whatever arrives later; never sells."""

    name = "buy_and_hold"

    def decide(self, view: MarketView) -> float | None:
        """Return 1 while there is cash."""
        return 1.0 if view.cash > 0.0 or not view.equity else None


class ConstantMix:
    """A fixed share of equity, brought back whenever it has left the no-trade band."""

    def __init__(self, weight: float = USUAL_MIX) -> None:
        if not 0.0 <= weight <= 1.0:
            raise Fault(ErrorCode.BAD_ARGUMENT, f"a mix of {weight}", fix="choose a share from 0 to 1")
        self.name = "constant_mix"
        self.weight = weight

    def decide(self, view: MarketView) -> float | None:  # noqa: ARG002  the mix looks at nothing
        """Return the share."""
        return self.weight


class MonthlyParts:
    """An equal part of the budget at the start and each time a month ends, twelve in all."""

    name = "dca"

    def __init__(self, months: int = PLAN_MONTHS) -> None:
        self._ends = MonthEnds()
        self._months = months
        self._placed = 0

    def decide(self, view: MarketView) -> float | None:
        """Return the weight that one more part of the budget would bring."""
        is_due = self._ends.read(view) or self._placed == 0
        if not is_due or self._placed == self._months:
            return None
        self._placed += 1
        equity = view.equity or 1.0
        part = view.cash / (self._months - self._placed + 1) if view.equity else 1.0 / self._months
        return min(1.0, view.weight + part / equity)
