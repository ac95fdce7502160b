"""What a recommendation says of its own record, and of falls in the instrument's own units.

Stage: decision (pure). Values only; `calibration` makes them from evidence.
"""

from __future__ import annotations

from pydantic import Field

from when_to_invest.decision.rounding import EvidenceId, Figure, Probability, Ratio
from when_to_invest.values import Value


class CalibrationCard(Value):
    """How such odds and ranges have done on this instrument, judged by what followed.

    Every figure comes from forecasts as they would have been made on their day. `forecasts`, over
    `years`, are of a fall of `threshold_ratio` within `horizon_days`; neighbours overlap.
    `brier_skill` is against the past frequency and lies within `ci90` with probability 0.9;
    `ece` is the expected calibration error, a probability. `range_coverage`: share of the
    `range_forecasts` newest ranges of `range_level` that held. Null: fewer than 30 forecasts.
    """

    threshold_ratio: Ratio
    horizon_days: int = Field(gt=0)
    forecasts: int = Field(ge=0)
    years: Figure
    brier_skill: Ratio | None
    ci90: tuple[Ratio, Ratio] | None
    ece: Probability | None
    has_skill: bool
    range_level: Probability
    range_forecasts: int = Field(ge=0)
    range_coverage: Probability | None
    up_has_skill: bool
    evidence: EvidenceId


class OwnDropOdds(Value):
    """Odds of a fall of `sigmas` of the instrument's own volatility, here `threshold_ratio`."""

    sigmas: Figure
    threshold_ratio: Ratio
    horizon_days: int = Field(gt=0)
    value: Probability
    baseline: Probability
    evidence: EvidenceId
