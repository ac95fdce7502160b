"""The price band that a session may move in before trading pauses, as a ratio of a reference.

Stage: risk (pure). Source: the US plan to address extraordinary market volatility ("limit up,
limit down"), section V and appendix A: 0.05 for tier 1 and 0.10 for tier 2 above 3 USD, 0.20
from 0.75 to 3 USD, below that the lesser of 0.75 and 0.15 USD. The plan's reference is the mean
price of five minutes; of daily bars only the close before is known. Its tier 1 is a list (the
S&P 500, the Russell 1000, large funds) that bars do not carry: what moved, over all its history,
no more than 0.40 a year counts as tier 1, which holds for indices, broad funds and large shares.
"""

from __future__ import annotations

from typing import Final

TIER_1: Final = 0.05
TIER_2: Final = 0.10
LOW_PRICE: Final = 0.20
LOWEST_PRICE: Final = 0.75
_LOW_USD: Final = 3.0
_LOWEST_USD: Final = 0.75
_LOWEST_BAND_USD: Final = 0.15
TIER_1_VOLATILITY: Final = 0.40


def band_ratio(reference: float, *, volatility: float) -> float:
    """Return the band around the price `reference` in USD (above 0); `volatility`: long-run, per year."""
    if reference < _LOWEST_USD:
        return min(LOWEST_PRICE, _LOWEST_BAND_USD / reference)
    if reference <= _LOW_USD:
        return LOW_PRICE
    return TIER_1 if volatility <= TIER_1_VOLATILITY else TIER_2
