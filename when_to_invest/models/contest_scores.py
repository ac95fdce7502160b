"""What a contest between models found: each one's skill, beside the incumbent's, with intervals.

Stage: models (pure, seeded). Intervals come from blocks of three horizons; with several
challengers each is wider, so that luck promotes none of them more often than it would one.
Never decides what recommends.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

from when_to_invest.honesty.bootstrap import (
    LEVEL,
    ConfidenceInterval,
    block_of,
    bootstrap_means,
    interval_of,
    skill_ci,
)
from when_to_invest.honesty.scores import skill
from when_to_invest.values import Hash, Value

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

FEWEST_BLOCKS: Final = 5
"""Fewer blocks of three horizons tell nothing: intervals are unknown, nobody is promoted."""


class Estimate(Value):
    """A figure and the interval that holds it with probability `level`; None where unknown."""

    value: float | None
    low: float | None
    high: float | None
    level: float

    @property
    def is_above_zero(self) -> bool:
        """Whether the whole interval lies above zero (never, when it is unknown)."""
        return self.low is not None and self.low > 0.0


class Entry(Value):
    """How one model did. `brier`: mean squared error of its odds.

    `skill_vs_climatology`, `skill_vs_incumbent`: 1 - Brier / the other's Brier.
    `gain_vs_incumbent`: the incumbent's Brier less its own. None for the incumbent itself.
    """

    name: str
    brier: float
    skill_vs_climatology: Estimate
    skill_vs_incumbent: Estimate | None
    gain_vs_incumbent: Estimate | None

    @property
    def is_promoted(self) -> bool:
        """Whether it beat the incumbent beyond doubt: all of the gain's interval is above zero."""
        return self.gain_vs_incumbent is not None and self.gain_vs_incumbent.is_above_zero


class Contest(Value):
    """Incumbent and challengers judged on the same `n` days, `falls` of which a fall followed.

    `pool`: hashes of the series that taught the pooled challengers, by name; families that were
    left out for an instrument are in it when several instruments are judged together.
    """

    instrument: str
    start: str
    end: str
    horizon_days: int
    threshold_ratio: float
    seed: int
    n: int
    falls: int
    snapshot_hash: Hash
    incumbent: Entry
    challengers: tuple[Entry, ...]
    pool: dict[str, Hash] = {}  # noqa: RUF012 - pydantic copies it; the value is frozen

    @property
    def promoted(self) -> tuple[str, ...]:
        """Names of the challengers that beat the incumbent beyond doubt."""
        return tuple(each.name for each in self.challengers if each.is_promoted)


@dataclass(frozen=True, slots=True)
class Rivals:
    """Losses (m,) of the incumbent and of climatology on the judged days."""

    incumbent: FloatArray
    climatology: FloatArray
    horizon: int
    seed: int
    challengers: int

    @property
    def level(self) -> float:
        """Probability inside each interval (Bonferroni over the challengers)."""
        return 1.0 - (1.0 - LEVEL) / self.challengers

    def incumbent_entry(self, name: str) -> Entry:
        """Return how the incumbent did."""
        return Entry(
            name=name,
            brier=float(self.incumbent.mean()),
            skill_vs_climatology=self._skill(self.incumbent, self.climatology),
            skill_vs_incumbent=None,
            gain_vs_incumbent=None,
        )

    def entry(self, name: str, loss: FloatArray) -> Entry:
        """Return how a challenger with these losses (m,) did."""
        gain = self.incumbent - loss
        means = bootstrap_means((gain,), block=block_of(self.horizon), seed=self.seed)[:, 0]
        return Entry(
            name=name,
            brier=float(loss.mean()),
            skill_vs_climatology=self._skill(loss, self.climatology),
            skill_vs_incumbent=self._skill(loss, self.incumbent),
            gain_vs_incumbent=self._estimate(float(gain.mean()), interval_of(means, level=self.level)),
        )

    def _skill(self, loss: FloatArray, against: FloatArray) -> Estimate:
        block = block_of(self.horizon)
        interval = skill_ci(loss, against, block=block, seed=self.seed, level=self.level)
        return self._estimate(skill(loss, against), interval)

    def _estimate(self, value: float, interval: ConfidenceInterval) -> Estimate:
        is_known = len(self.incumbent) >= FEWEST_BLOCKS * block_of(self.horizon)
        return Estimate(
            value=value if isfinite(value) else None,
            low=interval.low if is_known and isfinite(interval.low) else None,
            high=interval.high if is_known and isfinite(interval.high) else None,
            level=self.level,
        )
