"""From when on an execution is abnormal: bounds that a home can only make stricter."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from home.section import Section
from when_to_invest.money import NonNegativeDecimal, decimal_text

WINDOW_S: Final = 900
"""How far back the orders lie that an alarm looks at."""


def _at_most(largest: Decimal) -> Callable[[Decimal], Decimal]:
    def check(value: Decimal) -> Decimal:
        if value > largest:
            raise ValueError(f"can only be made stricter: at most {decimal_text(largest)}")
        return value

    return check


_SLIPPAGE: Final = Decimal(50)
_REJECTED: Final = Decimal("0.2")
_LATENCY: Final = Decimal(5)
_UNKNOWN: Final = Decimal(60)


class AlarmSettings(Section):
    """Above these, somebody is told: cost against arrival, share rejected, time to an answer, doubt."""

    max_slippage_bps: Annotated[NonNegativeDecimal, AfterValidator(_at_most(_SLIPPAGE))] = _SLIPPAGE
    max_reject_ratio: Annotated[NonNegativeDecimal, AfterValidator(_at_most(_REJECTED))] = _REJECTED
    max_acknowledgement_s: Annotated[NonNegativeDecimal, AfterValidator(_at_most(_LATENCY))] = _LATENCY
    max_unknown_s: Annotated[NonNegativeDecimal, AfterValidator(_at_most(_UNKNOWN))] = _UNKNOWN
    fewest_orders: int = Field(default=5, ge=1, le=5)
    """With fewer in the last 15 minutes, neither rejections nor latency are judged."""
