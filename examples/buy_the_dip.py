"""A strategy of your own: buy after a fall from the year's high, sell at a new one.

Run it with `when-to-invest backtest examples/buy_the_dip.py:BuyTheDip SPX`. It is here to be
changed, not to be followed: look at the sub-periods.
"""

from __future__ import annotations

from when_to_invest.backtest.view import MarketView

YEAR = 252
DIP = -0.10


class BuyTheDip:
    """All in after a fall of a tenth from the highest close of a year, out at the next high."""

    name = "buy_the_dip"

    def decide(self, view: MarketView) -> float | None:
        """Return 1 in a dip, 0 at a high, None in between."""
        fall = float(view.close[-1] / view.close[-YEAR:].max()) - 1.0
        if fall <= DIP:
            return 1.0
        return 0.0 if fall == 0.0 else None
