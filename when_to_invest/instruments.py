"""Instruments: what can be analysed, and what of it can be traded in which steps."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from when_to_invest.money import PositiveDecimal

InstrumentId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9._/-]{0,23}$")]
"""Upper-case id such as `SPX`, `BTC/USDT`, `BRK.B`."""


@unique
class Session(StrEnum):
    """When a bar of this instrument is finished.

    `EXCHANGE`: a daily bar of session date D closes at D 21:00 UTC (16:00 in New York in
    winter, an hour after the close in summer: never early). `CONTINUOUS`: a bar closes
    one interval after it opened.
    """

    EXCHANGE = "exchange"
    CONTINUOUS = "continuous"


@unique
class Interval(StrEnum):
    """Length of a bar."""

    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER_HOUR = "15m"
    HOUR = "1h"
    DAY = "1d"
    MONTH = "1mo"


class Instrument(BaseModel):
    """What the system knows of one instrument; amounts in USD and base units."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: InstrumentId
    name: str
    interval: Interval
    session: Session
    has_range: bool
    """Whether bars carry open, high and low (else only the close is known)."""
    has_volume: bool
    venue: str = ""
    """Where the data come from; empty for the recorded defaults."""
    is_tradable: bool = True
    lot_size: PositiveDecimal
    """Smallest step of quantity, in base units."""
    tick_size_usd: PositiveDecimal
    min_notional_usd: PositiveDecimal
