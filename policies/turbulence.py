"""How wild the market is, in the terms of the market rules. Stage: gate.

Ratios have 6 decimals and are rounded against the order: moves up, bands down. On exchanges
the bands are those of the limit-up-limit-down plan; where trading never stops they, and the
market-wide levels, grow with the asset's long-run volatility beyond that of a stock index.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Final

from policies.exactness import usable_price
from when_to_invest.holdings import ZERO
from when_to_invest.instruments import Session
from when_to_invest.market import ReferencePrice, SessionRange
from when_to_invest.recent import LastPrint
from when_to_invest.risk.price_bands import TIER_1, band_ratio

INDEX: Final = "SPX"
"""Stands for the whole market of exchange-traded instruments."""
_INDEX_VOLATILITY: Final = Decimal("0.20")
_STEP: Final = Decimal("0.000001")
_ONE: Final = Decimal(1)
_LARGEST_VOLATILITY: Final = Decimal(1_000)


@dataclass(frozen=True, slots=True)
class Turbulence:
    """Ratios of the close before the newest session; `growth`: 1 for a stock index, never less."""

    fall_ratio: Decimal
    rise_ratio: Decimal
    band_ratio: Decimal
    growth: Decimal


def read_turbulence(reference: ReferencePrice | None) -> Turbulence | None:
    """Return how far the reference's own session went; None when its range is unknown or none."""
    seen = None if reference is None else _usable(reference.range)
    if seen is None:
        return None
    before = seen.previous_close_usd
    growth = _ONE
    if seen.session is Session.CONTINUOUS:
        growth = max(_ONE, (seen.volatility / _INDEX_VOLATILITY).quantize(_STEP, rounding=ROUND_DOWN))
    return Turbulence(
        fall_ratio=_up(max(before - seen.low_usd, ZERO) / before),
        rise_ratio=_up(max(seen.high_usd - before, ZERO) / before),
        band_ratio=_band(seen, growth),
        growth=growth,
    )


def outside_range_ratio(last: LastPrint, reference: ReferencePrice) -> Decimal | None:
    """Return how far a print lies outside the session's range and close, as a ratio of the close."""
    seen = _usable(reference.range)
    if seen is None:
        return None
    lowest, highest = min(seen.low_usd, reference.price_usd), max(seen.high_usd, reference.price_usd)
    beyond = max(lowest - last.price_usd, last.price_usd - highest, ZERO)
    return _up(beyond / reference.price_usd)


def _band(seen: SessionRange, growth: Decimal) -> Decimal:
    if seen.session is Session.CONTINUOUS:
        band = Decimal(str(TIER_1)) * growth
    else:
        ratio = band_ratio(float(seen.previous_close_usd), volatility=float(seen.volatility))
        band = Decimal(repr(ratio))
    return band.quantize(_STEP, rounding=ROUND_DOWN)


def _usable(seen: SessionRange | None) -> SessionRange | None:
    if seen is None or not seen.volatility.is_finite():
        return None
    prices = [usable_price(price) for price in (seen.previous_close_usd, seen.low_usd, seen.high_usd)]
    before, low, high = prices
    if before is None or low is None or high is None or not 0 <= seen.volatility <= _LARGEST_VOLATILITY:
        return None
    return SessionRange(before, low, high, seen.volatility, seen.session)


def _up(ratio: Decimal) -> Decimal:
    return ratio.quantize(_STEP, rounding=ROUND_UP)
