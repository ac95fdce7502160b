"""What the market server answers about the past: figures without curves. Ratios are ratios."""

from __future__ import annotations

from enum import StrEnum, unique
from math import isfinite
from typing import Annotated

from pydantic import AfterValidator

from when_to_invest.values import Value

Figure = Annotated[
    float | None,
    AfterValidator(lambda value: None if value is None or not isfinite(value) else round(value, 6) + 0.0),
]
"""Six decimals; None where there is no basis."""


@unique
class StrategyName(StrEnum):
    """A strategy's name."""

    BUY_AND_HOLD = "buy_and_hold"
    CONSTANT_MIX = "constant_mix"
    SMA200_BAND = "sma200_band"
    SMA10_MONTHS = "sma10_months"
    TSMOM_12M = "tsmom_12m"
    VOL_TARGET = "vol_target"
    TREND_VOL = "trend_vol"
    DCA = "dca"
    DECISION = "decision"


class RunFigures(Value):
    """After costs; a drawdown is a positive ratio."""

    return_ratio: Figure
    growth_annual_ratio: Figure
    sigma_annual: Figure
    sharpe: Figure
    max_drawdown_ratio: Figure
    mean_exposure_ratio: Figure
    turnover_per_year: Figure


class PeriodRow(Value):
    """A sub-period; `is_behind`: buying and holding earned more."""

    start: str
    end: str
    return_ratio: Figure
    buy_and_hold_return_ratio: Figure
    is_behind: bool


class BacktestAnswer(Value):
    """A strategy beside buying and holding, and beside a mix of equal mean exposure.

    `timing_annual_ratio`: what it earned a year above that mix; below 2, `timing_t` is noise.
    `deflated_sharpe`: probability that it is above the luck of `trials`, this home's and the design's.
    """

    strategy: StrategyName
    instrument: str
    start: str
    end: str
    bars: int
    fee_bps: float
    result: RunFigures
    buy_and_hold: RunFigures
    equal_exposure: RunFigures
    timing_annual_ratio: Figure
    timing_t: Figure
    trials: int
    deflated_sharpe: Figure
    periods: tuple[PeriodRow, ...]
    notes: tuple[str, ...]


class OddsRow(Value):
    """Odds against what came, of `count` outcomes; without a threshold, odds of a higher close."""

    threshold_ratio: Figure
    horizon_days: int
    count: int
    brier: Figure
    brier_baseline: Figure
    brier_skill: Figure
    calibration_error_ratio: Figure
    why: str


class RangeRow(Value):
    """How often a range of that level held."""

    level: float
    horizon_days: int
    count: int
    coverage_ratio: Figure
    why: str


class ScorecardAnswer(Value):
    """How good past recommendations were; `count` of them. No figure below 30 outcomes."""

    instrument: str | None
    as_of: str
    count: int
    p_drop: tuple[OddsRow, ...]
    p_up: tuple[OddsRow, ...]
    return_interval: tuple[RangeRow, ...]
    notes: tuple[str, ...]
