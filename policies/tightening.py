"""How limits tighten: the kinds of limits, each with its operator, as data.

Stage: gate. A kind states its bounds and its operator; it must never know a value.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum, unique
from typing import Annotated, Final

from pydantic import Field, PlainSerializer

from when_to_invest.money import NonNegativeDecimal

LimitSetting = str | int | bool | list[str]
"""What a configuration file may hold; text for amounts."""
DAY_S: Final = 86_400


@unique
class Tighten(StrEnum):
    """How two values of one limit combine into one that allows no more than either."""

    SMALLER = "smaller"
    LARGER = "larger"
    INTERSECTION = "intersection"
    UNION = "union"


IN_ORDER = PlainSerializer(sorted, return_type=list[str])
UsdCap = Annotated[NonNegativeDecimal, Tighten.SMALLER]
BpsCap = Annotated[NonNegativeDecimal, Tighten.SMALLER]
QuantityCap = Annotated[NonNegativeDecimal, Tighten.SMALLER]
CountCap = Annotated[int, Field(ge=0), Tighten.SMALLER]
SecondsCap = Annotated[int, Field(ge=0), Tighten.SMALLER]
Quorum = Annotated[int, Field(ge=1), Tighten.LARGER]
CoolDown = Annotated[int, Field(ge=0, le=DAY_S), Tighten.LARGER]
Reserve = Annotated[NonNegativeDecimal, Field(le=Decimal(10_000)), Tighten.LARGER]
