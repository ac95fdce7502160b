"""What the executor saw of accounts and venues: events that move neither money nor exposure."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from when_to_invest.instruments import InstrumentId
from when_to_invest.money import ExactDecimal, PositiveDecimal
from when_to_invest.values import Instant, Mode, Name, Value
from when_to_invest.venue_status import TradingStatus


class Mark(Value):
    """The price that a holding was valued at, how old it was, and where it came from."""

    instrument: InstrumentId
    price_usd: PositiveDecimal
    known_at: Instant
    source: str = Field(max_length=200)


class AccountMarked(Value):
    """The executor valued an account: cash, and every holding at an independent price."""

    kind: Literal["account_marked"] = "account_marked"
    at: Instant
    mode: Mode
    account: Name
    equity_usd: ExactDecimal
    """In whole millionths of a dollar, rounded down."""
    marks: tuple[Mark, ...]
    """Of everything that is held."""


class VenueReported(Value):
    """What a venue said about itself has changed."""

    kind: Literal["venue_reported"] = "venue_reported"
    at: Instant
    mode: Mode
    venue: Name
    status: TradingStatus
    why: str = Field(default="", max_length=200)


Sighting = AccountMarked | VenueReported
