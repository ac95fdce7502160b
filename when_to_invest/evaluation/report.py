"""What an evaluation answers; the keys are those that scripts read.

Stage: evaluation (pure). A figure without a basis is None, and `notes` says why; a number is
never made up for it. Figures are rounded to 6 decimals when the value is made.
"""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from when_to_invest.decision.rounding import Ratio
from when_to_invest.instruments import InstrumentId
from when_to_invest.values import Value

FEWEST: Final = 30
"""Below this many outcomes no statistic is given."""

FEWEST_BLOCKS: Final = 4
"""Overlapping outcomes fill at least so many blocks, or no interval is given."""

Figure = Annotated[
    float | None, AfterValidator(lambda value: None if value is None else round(value, 6) + 0.0)
]
Interval90 = tuple[Figure, Figure]
UNKNOWN_INTERVAL: Final[Interval90] = (None, None)


def known(value: float) -> float | None:
    """Return `value`, or None when it is not finite."""
    return float(value) if isfinite(value) else None


class VarianceScore(Value):
    """QLIKE of the 21-day variance forecast: 1 - loss / loss of the past mean, and of EWMA 0.94."""

    qlike_skill_mean: Figure
    qlike_vs_ewma: Figure


class DropScore(Value):
    """Odds of a fall against the past frequency: Brier skill, its 90 % interval, calibration error."""

    threshold_ratio: Ratio
    horizon_days: int
    brier_skill: Figure
    ci90: Interval90
    ece: Figure
    n: int
    falls: int
    """On how many of the n days such a fall followed."""


class IntervalScore(Value):
    """A central range of the 21-day return: how often it held, and pinball skill of its two edges."""

    level: Ratio
    coverage: Figure
    worst_2y_coverage: Figure
    pinball_skill: Figure
    ci90: Interval90
    n: int


class UpScore(Value):
    """Odds of a higher close in 21 days against the base rate; skill only when surely positive."""

    brier_skill: Figure
    ci90: Interval90
    has_skill: bool
    n: int


class PeriodScore(Value):
    """A stretch of years: simple returns in all, annual Sharpe ratios, deepest falls as positive ratios."""

    start: str
    end: str
    return_ratio: Figure
    return_buy_hold_ratio: Figure
    sharpe: Figure
    sharpe_buy_hold: Figure
    max_drawdown_ratio: Figure
    max_drawdown_buy_hold_ratio: Figure
    is_lost: bool
    """Whether holding throughout had the higher Sharpe ratio."""


class OverlayScore(Value):
    """The sizing as a position, against holding throughout; ratios are annual, costs are paid.

    Drawdowns are positive ratios (0.2: a fall by a fifth). `deflated_sharpe`: probability that
    the Sharpe ratio exceeds what the best of `trials` worthless strategies shows. `trials`: sizings
    looked at when the product was made, and every evaluation in the home's ledger.
    """

    sharpe: Figure
    sharpe_buy_hold: Figure
    max_drawdown_ratio: Figure
    max_drawdown_buy_hold_ratio: Figure
    turnover_per_year: Figure
    deflated_sharpe: Figure
    trials: int
    exposure_mean: Figure
    n: int
    periods: tuple[PeriodScore, ...]


class DeploymentScore(Value):
    """Wealth after 12 months, staged entry minus the other way, in hundredths of the budget (pp).

    `es5`: the mean of the worst twentieth of the outcomes.
    """

    vs_dca_pp: Figure
    vs_lump_pp: Figure
    es5_vs_lump_pp: Figure
    vs_dca_ci90: Interval90
    vs_lump_ci90: Interval90
    es5_vs_lump_ci90: Interval90
    n: int


class Evaluation(Value):
    """How the product would have done on one instrument from `start` to `end` (dates)."""

    instrument: InstrumentId
    start: str
    end: str
    n: int = Field(ge=0)
    variance: VarianceScore
    p_drop: tuple[DropScore, ...]
    interval: tuple[IntervalScore, ...]
    p_up: UpScore
    overlay: OverlayScore
    deployment: DeploymentScore
    notes: tuple[str, ...]
