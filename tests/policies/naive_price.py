"""When a reference is a price, stated a second time for the naive gate."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from when_to_invest.market import ReferencePrice


def naive_price(reference: ReferencePrice | None) -> tuple[Fraction | None, datetime | None]:
    if reference is None or not isinstance(reference.price_usd, Decimal):
        return None, None
    usd = reference.price_usd
    if usd.is_nan() or usd.is_infinite() or usd <= 0 or usd > Decimal(10) ** 15:
        return None, None
    if reference.known_at.tzinfo is None or reference.source == "":
        return None, None
    return Fraction(usd), reference.known_at
