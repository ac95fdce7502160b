"""The protocol of a strategy: one method, asked at every close.

Stage: backtest (pure). A strategy of your own is a class in a file of yours:

    class BuyTheDip:
        name = "buy_the_dip"

        def decide(self, view):
            fall = view.close[-1] / view.close[-252:].max() - 1.0
            return 1.0 if fall < -0.10 else None

and runs with `when-to-invest backtest FILE.py:BuyTheDip SPX`.
"""

from __future__ import annotations

from typing import Protocol

from when_to_invest.backtest.view import MarketView


class Strategy(Protocol):
    """Decides, at each close, which share of equity to hold from the next bar on.

    The engine makes one object a run and asks it bar after bar, so it may remember. `name`
    stands in reports.
    """

    name: str

    def decide(self, view: MarketView) -> float | None:
        """Return the target weight in [0, 1] of equity, or None to leave things as they are.

        It is filled at the next bar's open (close-only instruments: at the next close), unless
        it lies within the no-trade band around the current weight.
        """
        ...
