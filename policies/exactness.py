"""Exact arithmetic for judging: no rounding, no floats, no NaN. Stage: gate.

Two amounts of 15 + 18 digits multiply to 66 digits; Python's default context would round
that to 28. Under `EXACT` nothing rounds, and NaN or a float raises, which refuses.
"""

from __future__ import annotations

from datetime import datetime
from decimal import (
    ROUND_HALF_EVEN,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    Overflow,
)
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer

from when_to_invest.market import ReferencePrice
from when_to_invest.money import BPS_PER_UNIT, LARGEST_AMOUNT, MAX_DECIMALS, decimal_text

EXACT: Final = Context(prec=160, traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation])
_LARGEST_EXPONENT: Final = 100
_FINEST_STEP: Final = Decimal(1).scaleb(-MAX_DECIMALS)
_SHOWN_BPS: Final = Decimal("0.0001")


def _finite(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("a figure is a Decimal or its text")  # noqa: TRY004 - pydantic reads ValueError
    figure = Decimal(value)
    if not figure.is_finite() or abs(figure.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("a figure must be finite and of a sane size")
    return figure


Figure = Annotated[Decimal, BeforeValidator(_finite), PlainSerializer(decimal_text, return_type=str)]
"""A computed amount: finite, exact, of any sane size and sign; travels as text."""


def usable_price(price: object) -> Decimal | None:
    """Return a positive, finite, sane price in at most 18 decimals; else None."""
    if not isinstance(price, Decimal) or not price.is_finite() or not 0 < price <= LARGEST_AMOUNT:
        return None
    return price.quantize(_FINEST_STEP, rounding=ROUND_HALF_EVEN, context=EXACT) or None


def bps_beyond(price: Decimal, reference: Decimal) -> Decimal:
    """Return how far `price` lies above `reference` in bps, rounded away from zero for show."""
    return ((price - reference) * BPS_PER_UNIT / reference).quantize(_SHOWN_BPS, rounding=ROUND_UP)


def known_price(reference: ReferencePrice | None) -> ReferencePrice | None:
    """Return the reference when it is usable: positive, finite, dated, with a source."""
    if reference is None or not reference.source or not isinstance(reference.known_at, datetime):
        return None
    price_usd = usable_price(reference.price_usd)
    if price_usd is None or reference.known_at.tzinfo is None:
        return None
    return ReferencePrice(price_usd, reference.known_at, reference.source, reference.range)
