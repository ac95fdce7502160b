"""Runs the models and signals on a snapshot and gathers what they found.

Stage: decision (pure), second step: everything that is computed, nothing that is decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.features.daily import DailyBars
from when_to_invest.features.readings import MEDIAN_WINDOW, Readings, read_chart
from when_to_invest.features.risk_frame import WARM_UP, RiskFrame, risk_frame
from when_to_invest.features.variance import log_returns
from when_to_invest.models.drop_odds import HorizonOdds, coherent, drop_odds
from when_to_invest.models.har import fit_har
from when_to_invest.models.interval import Range, return_ranges
from when_to_invest.models.up_odds import Direction, up_odds
from when_to_invest.risk.market_breakers import BreakerReading, read_breakers
from when_to_invest.signals.score import FactorScore, percentile_rank, score_factors
from when_to_invest.signals.trend import Trend, direction_features, read_trend

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_DROP_HORIZONS: Final = (5, 21)
"""Days ahead for which odds of a fall are always given."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the analysis found as of the newest day; volatilities are per year."""

    days: int
    horizon: int
    readings: Readings
    trend: Trend
    sigma_annual: float
    volatility_rank: float
    up: Direction
    drops: tuple[HorizonOdds, ...]
    ranges: tuple[Range, ...]
    breakers: tuple[BreakerReading, ...]
    factors: FactorScore


def assess(bars: DailyBars, *, horizon: int) -> Assessment:
    """Run everything on `bars`, which `eligibility` found sufficient.

    Args:
        bars: closed days, oldest first.
        horizon: days ahead, 1 to 126.
    """
    frame = risk_frame(bars)
    forecast = _variance_forecast(bars, frame, horizon)
    readings, trend = read_chart(bars, frame), read_trend(bars)
    rank = percentile_rank(forecast[WARM_UP:][-MEDIAN_WINDOW:])
    horizons = sorted({*_DROP_HORIZONS, horizon})
    odds = tuple(drop_odds(frame.log_variance, bars.close, horizon=each) for each in horizons)
    return Assessment(
        days=len(bars),
        horizon=horizon,
        readings=readings,
        trend=trend,
        sigma_annual=float((forecast[-1] * bars.days_per_year) ** 0.5),
        volatility_rank=rank,
        up=up_odds(direction_features(bars, frame.log_variance), bars.close, horizon=horizon),
        drops=coherent(odds),
        ranges=return_ranges(bars.close, forecast, horizon=horizon),
        breakers=read_breakers(readings, bars.session),
        factors=score_factors(trend, volatility_rank=rank, drawdown=readings.drawdown),
    )


def _variance_forecast(bars: DailyBars, frame: RiskFrame, horizon: int) -> FloatArray:
    """Return the forecast of every day by the model fitted to all finished outcomes."""
    import numpy as np

    model = fit_har(frame, log_returns(bars.close), horizon=horizon, until=len(bars))
    forecast = np.full(len(bars), np.nan)
    forecast[WARM_UP:] = model.forecast(frame.log_variance[WARM_UP:])
    return forecast
