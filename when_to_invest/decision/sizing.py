"""How much: trend tranche x volatility scale x breaker cap, never above the whole budget.

Stage: decision (pure), fourth step. Volatility scaling after Moreira and Muir (2017),
capped at 1: the forecast can only shrink a position, never lever it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from when_to_invest.decision.evidence import PER_YEAR, RATIO, EvidenceBook
from when_to_invest.decision.rounding import stable_ratio
from when_to_invest.risk.market_breakers import BreakerReading, combined_cap

TARGET_SIGMA_ANNUAL: Final = 0.15
STAGED_FLOOR: Final = 0.25
"""Three monthly steps of a twelve-month plan: trend and breakers never slow a staged entry below it."""
FULL_ENTRY: Final = 0.75
"""From this size on an entry is made at once; what is left stays in cash."""
_UP_TRANCHES: Final = (0.5, 0.75, 1.0, 1.0)
_DOWN_TRANCHES: Final = (0.25, 0.25, 0.33, 0.5)
"""Fraction by how many of the 3-, 6- and 12-month momenta are positive: 0 to 3."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """The factors and their product, each a fraction of the budget, 0 to 1."""

    trend_tranche: float
    volatility_scale: float
    breaker_cap: float
    target: float


def trend_tranche(*, is_up: bool, rising_count: int) -> float:
    """Return the fraction that the trend allows: by its side, and how many of 3 momenta rise."""
    return (_UP_TRANCHES if is_up else _DOWN_TRANCHES)[rising_count]


def volatility_scale(sigma_annual: float) -> float:
    """Return min(1, target / forecast); 0 without a forecast."""
    return min(1.0, TARGET_SIGMA_ANNUAL / sigma_annual) if sigma_annual > 0.0 else 0.0


def size_up(book: EvidenceBook, breakers: tuple[BreakerReading, ...]) -> Sizing:
    """Size an entry from the rounded evidence; the factors are rounded as they are shown."""
    tranche = trend_tranche(is_up=bool(book["trend.is_up"]), rising_count=int(book["trend.rising_count"]))
    scale = volatility_scale(book["volatility.sigma_annual"])
    cap = combined_cap(breakers)
    return Sizing(*map(stable_ratio, (tranche, scale, cap, tranche * scale * cap)))


def enter_sizing(book: EvidenceBook, sizing: Sizing) -> Sizing:
    """Enter the factors and the limits as evidence; returns `sizing`."""
    for name, value, unit in (
        ("trend_tranche", sizing.trend_tranche, RATIO),
        ("volatility_scale", sizing.volatility_scale, RATIO),
        ("breaker_cap", sizing.breaker_cap, RATIO),
        ("target_sigma_annual", TARGET_SIGMA_ANNUAL, PER_YEAR),
        ("staged_floor", STAGED_FLOOR, RATIO),
        ("full_entry", FULL_ENTRY, RATIO),
        ("target", sizing.target, RATIO),
    ):
        book.add(f"sizing.{name}", value, unit=unit, by="decision.sizing")
    return sizing
