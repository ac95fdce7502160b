"""Instruments: what can be analysed, and what of it can be traded in which steps."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from when_to_invest.intervals import Interval, Session
from when_to_invest.money import PositiveDecimal

InstrumentId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9._/-]{0,23}$")]
"""Upper-case id such as `SPX`, `BTC/USDT`, `BRK.B`."""


__all__ = ["Instrument", "InstrumentId", "Interval", "Session"]


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
