"""The risk score, 0 (calm) to 100 (severe), as a weighted mean of named parts.

Stage: risk (pure). The weights are fixed by judgement, not fitted; every part names the fact it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_FULL: Final = 100.0


@dataclass(frozen=True, slots=True)
class PartRule:
    """Fact `evidence` runs linearly from `calm` (score 0) to `severe` (score 100)."""

    name: str
    evidence: str
    weight: float
    calm: float
    severe: float


@dataclass(frozen=True, slots=True)
class ScoredPart:
    """One part's score, 0 to 100."""

    name: str
    score: float
    weight: float
    evidence: str


PARTS: Final[tuple[PartRule, ...]] = (
    PartRule("volatility", "volatility.rank", 0.25, 0.0, 1.0),
    PartRule("drop_odds", "drop_odds.lift", 0.25, 0.0, 3.0),
    PartRule("drawdown", "chart.drawdown", 0.20, 0.0, -0.25),
    PartRule("trend", "trend.sma200_distance", 0.15, 0.05, -0.10),
    PartRule("breakers", "sizing.breaker_cap", 0.15, 1.0, 0.0),
)


def score_parts(facts: Mapping[str, float]) -> tuple[ScoredPart, ...]:
    """Score each part from the facts it names."""
    return tuple(
        ScoredPart(rule.name, _linear(facts[rule.evidence], rule), rule.weight, rule.evidence)
        for rule in PARTS
    )


def total_score(parts: tuple[ScoredPart, ...]) -> float:
    """Return the weighted mean of the parts, 0 to 100."""
    return sum(part.score * part.weight for part in parts) / sum(part.weight for part in parts)


def _linear(value: float, rule: PartRule) -> float:
    share = (value - rule.calm) / (rule.severe - rule.calm)
    return _FULL * max(0.0, min(1.0, share))
