"""All canaries and controls, and the audit's own examination on them.

Stage: honesty (pure, seeded). An audit that misses a planted leak, or flags an honest pipeline,
is worth nothing, so anyone can ask for this examination.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from when_to_invest.honesty.canaries import clocks, fills, learning, scaling, smoothing
from when_to_invest.honesty.canaries.controls import CONTROLS
from when_to_invest.honesty.canaries.practice import practice_series
from when_to_invest.honesty.lookahead import audit
from when_to_invest.honesty.subjects import Subject

CANARIES: Final = (
    *fills.LEAKS,
    *smoothing.LEAKS,
    *scaling.LEAKS,
    *learning.LEAKS,
    *clocks.LEAKS,
)
CUTS: Final = 24


@dataclass(frozen=True, slots=True)
class Examination:
    """How the audit did: leaks planted and missed, honest pipelines and those it wrongly flagged."""

    planted: int
    missed: tuple[str, ...]
    honest: int
    flagged: tuple[str, ...]

    @property
    def is_passed(self) -> bool:
        """Whether every leak was caught and nothing honest was flagged."""
        return not self.missed and not self.flagged

    @property
    def caught(self) -> int:
        """How many planted leaks were caught."""
        return self.planted - len(self.missed)


def examine(*, cuts: int = CUTS, seed: int = 0) -> Examination:
    """Audit every canary and every control on the practice series; `seed` chooses the cuts."""
    series = practice_series()
    canaries = (*CANARIES, learning.carried_table(series))

    def is_clean(subject: Subject) -> bool:
        return audit(subject, series, cuts=cuts, seed=seed).is_clean

    return Examination(
        planted=len(canaries),
        missed=tuple(each.name for each in canaries if is_clean(each)),
        honest=len(CONTROLS),
        flagged=tuple(each.name for each in CONTROLS if not is_clean(each)),
    )
