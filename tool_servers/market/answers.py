"""What the market server answers besides recommendations: small values with units in names."""

from __future__ import annotations

from when_to_invest.decision.recommendation import Breaker, DropOdds, ReturnInterval, Risk
from when_to_invest.money import ExactDecimal
from when_to_invest.values import Value


class InstrumentRow(Value):
    """One instrument; `name` and `venue` come from data files and are marked untrusted."""

    id: str
    name: str
    interval: str
    venue: str
    is_tradable: bool
    has_range: bool
    has_volume: bool


class Instruments(Value):
    """Everything that can be analysed in this home."""

    instruments: tuple[InstrumentRow, ...]


class BarRow(Value):
    """One closed bar; prices in USD, none where the data do not carry them."""

    closed_at: str
    open_usd: ExactDecimal | None
    high_usd: ExactDecimal | None
    low_usd: ExactDecimal | None
    close_usd: ExactDecimal | None
    volume: ExactDecimal | None


class SnapshotAnswer(Value):
    """What was known of an instrument at `as_of`: `bars` closed bars, the newest shown."""

    instrument: str
    as_of: str
    data_as_of: str
    snapshot_hash: str
    bars: int
    first_opened_at: str
    newest: tuple[BarRow, ...]


class RiskAnswer(Value):
    """Risk of an instrument: score 0 to 100 with parts, odds of drops, range of returns."""

    recommendation_id: str
    instrument: str
    as_of: str
    risk: Risk
    sigma_annual: float
    p_drop: tuple[DropOdds, ...]
    return_interval: tuple[ReturnInterval, ...]


class BreakersAnswer(Value):
    """Market breakers of an instrument; each caps what may be added while it is on."""

    recommendation_id: str
    instrument: str
    as_of: str
    breakers: tuple[Breaker, ...]
