"""The record and the odds in own units, entered as evidence and shown as rounded there.

Stage: decision (pure), beside evidence. Explains only; no rule decides on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from when_to_invest.decision.evidence import COUNT, PROBABILITY, RATIO, EvidenceBook
from when_to_invest.decision.track_record import CalibrationCard, OwnDropOdds
from when_to_invest.models.calibration import RANGE_LEVEL

if TYPE_CHECKING:
    from when_to_invest.models.calibration import Calibration
    from when_to_invest.models.own_units import OwnFall

YEARS: Final = "years"
_RECORD: Final = "calibration"
_Row = tuple[str, float | None, str]


def calibration_card(book: EvidenceBook, found: Calibration, *, up_has_skill: bool) -> CalibrationCard:
    """Enter the record and return it; what cannot be told is entered nowhere."""
    for name, value, unit in _record(found):
        if value is not None:
            book.add(f"{_RECORD}.{name}", value, unit=unit, by="models.calibration")
    has_skill_figures = found.low is not None
    return CalibrationCard(
        threshold_ratio=found.threshold,
        horizon_days=found.horizon,
        forecasts=found.forecasts,
        years=book[f"{_RECORD}.years"],
        brier_skill=book[f"{_RECORD}.brier_skill"] if has_skill_figures else None,
        ci90=(book[f"{_RECORD}.ci90_low"], book[f"{_RECORD}.ci90_high"]) if has_skill_figures else None,
        ece=None if found.ece is None else book[f"{_RECORD}.ece"],
        has_skill=found.has_skill,
        range_level=RANGE_LEVEL,
        range_forecasts=found.range_days,
        range_coverage=None if found.range_coverage is None else book[f"{_RECORD}.range_coverage"],
        up_has_skill=up_has_skill,
        evidence=f"{_RECORD}.forecasts",
    )


def _record(found: Calibration) -> Iterator[_Row]:
    yield "forecasts", float(found.forecasts), COUNT
    yield "years", round(found.years, 1), YEARS
    yield "brier_skill", found.brier_skill, RATIO
    yield "ci90_low", found.low, RATIO
    yield "ci90_high", found.high, RATIO
    yield "ece", found.ece, PROBABILITY
    yield "range_forecasts", float(found.range_days), COUNT
    yield "range_coverage", found.range_coverage, PROBABILITY


def own_drop_odds(book: EvidenceBook, found: tuple[OwnFall, ...], *, horizon: int) -> tuple[OwnDropOdds, ...]:
    """Enter the odds of falls in own units and return them, common ones first."""
    by = "models.own_units"
    result = []
    for each in found:
        identity = f"drop_odds.s{round(10 * each.sigmas):02d}_d{horizon}"
        result.append(
            OwnDropOdds(
                sigmas=each.sigmas,
                threshold_ratio=book.add(f"{identity}.threshold", each.threshold, unit=RATIO, by=by),
                horizon_days=horizon,
                value=book.add(identity, each.odds, unit=PROBABILITY, by=by),
                baseline=book.add(f"{identity}.baseline", each.base, unit=PROBABILITY, by=by),
                evidence=identity,
            )
        )
    return tuple(result)
