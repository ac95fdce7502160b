"""How wild the market is, in the terms of the market rules. Stage: gate.

Ratios have 6 decimals and are rounded against the order: moves up, bands down. On exchanges
the bands are those of the limit-up-limit-down plan; where trading never stops they, and the
market-wide levels, grow with the asset's long-run volatility beyond that of a stock index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_UP, Decimal, localcontext
from functools import lru_cache
from typing import Final

from policies.exactness import EXACT, known_price, usable_price
from when_to_invest.holdings import ZERO
from when_to_invest.instruments import Session
from when_to_invest.market import ReferencePrice, SessionRange
from when_to_invest.recent import LastPrint
from when_to_invest.risk.price_bands import TIER_1, band_ratio

INDEXES: Final = ("SPX", "SPY", "VOO", "VTI")
"""Each follows the whole market of exchange-traded instruments; the first that knows the session counts."""
_SAME_SESSION: Final = timedelta(hours=12)
"""An index older than the reference by more tells of an earlier session."""
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
    if reference is None or reference.range is None:
        return None
    with localcontext(EXACT):
        return _read(_SameRange(reference.range))


class _SameRange:
    """Names a range by being that very one: it never changes, and every order asks again."""

    __slots__ = ("seen",)

    def __init__(self, seen: SessionRange) -> None:
        self.seen = seen

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameRange) and other.seen is self.seen

    def __hash__(self) -> int:
        return id(self.seen)


@lru_cache(maxsize=256)
def _read(held: _SameRange) -> Turbulence | None:
    seen = _usable(held.seen)
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


def market_index(
    reference: ReferencePrice | None, read: Callable[[str], ReferencePrice | None]
) -> ReferencePrice | None:
    """Return the first index that `read` has of the session of `reference`; None where none is asked for.

    Where trading never stops an instrument is its own market.
    """
    if reference is None or not _is_of_exchange(reference):
        return None
    return next((found for name in INDEXES if _tells_of(found := read(name), reference)), None)


def read_market(reference: ReferencePrice | None, index: ReferencePrice | None) -> Turbulence | None:
    """Return how far the market of `reference` went; None, which buys nothing, when nobody knows."""
    if reference is None or not _is_of_exchange(reference):
        return read_turbulence(reference)
    return read_turbulence(index) if _tells_of(index, reference) else None


def outside_range_ratio(last: LastPrint, reference: ReferencePrice) -> Decimal | None:
    """Return how far a print lies outside the session's range and close, as a ratio of the close."""
    seen = _usable(reference.range)
    if seen is None:
        return None
    lowest, highest = min(seen.low_usd, reference.price_usd), max(seen.high_usd, reference.price_usd)
    beyond = max(lowest - last.price_usd, last.price_usd - highest, ZERO)
    return _up(beyond / reference.price_usd)


def _is_of_exchange(reference: ReferencePrice) -> bool:
    return reference.range is not None and reference.range.session is Session.EXCHANGE


def _tells_of(index: ReferencePrice | None, reference: ReferencePrice) -> bool:
    with localcontext(EXACT):
        known = known_price(index)
        is_read = read_turbulence(known) is not None
    return known is not None and is_read and known.known_at >= reference.known_at - _SAME_SESSION


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
