"""Runs the models and signals on a snapshot and gathers what they found.

Stage: decision (pure), second step: everything that is computed, nothing that is decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from when_to_invest.decision.ahead import Ahead, look_ahead
from when_to_invest.features.daily import DailyBars
from when_to_invest.features.readings import MEDIAN_WINDOW, Readings, read_chart
from when_to_invest.models.calibration import Calibration, calibration, recent_rows
from when_to_invest.models.direction import Direction, newest_direction
from when_to_invest.models.fall_odds import HorizonOdds, coherent, newest_odds
from when_to_invest.models.own_units import OwnFall, own_falls
from when_to_invest.models.past import Past, recall
from when_to_invest.models.prior import Prior
from when_to_invest.models.volatility import Range, central_ranges, forecast_variance
from when_to_invest.risk.market_breakers import BreakerReading, read_breakers
from when_to_invest.risk.spells import dated
from when_to_invest.signals.score import FactorScore, percentile_rank, score_factors
from when_to_invest.signals.trend import Trend, read_trend

_JUDGED_FALL: Final = 0.05
"""Of the odds, the fall whose record is told."""
_DROP_HORIZONS: Final = (5, 21, 63)
"""Days ahead for which odds of a fall are always given."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the analysis found as of the newest day; volatilities are per year."""

    days: int
    horizon: int
    past: Past
    readings: Readings
    trend: Trend
    sigma_annual: float
    volatility_rank: float
    up: Direction
    drops: tuple[HorizonOdds, ...]
    own_falls: tuple[OwnFall, ...]
    ranges: tuple[Range, ...]
    record: Calibration
    breakers: tuple[BreakerReading, ...]
    factors: FactorScore
    ahead: Ahead | None
    """None on days before the first dated dynamics."""


def assess(bars: DailyBars, *, horizon: int, prior: Prior, seed: int) -> Assessment:
    """Run everything on `bars`, which `eligibility` found sufficient.

    Args:
        bars: closed days, oldest first.
        horizon: days ahead, 1 to 126.
        prior: what other instruments taught, by year.
        seed: of the simulated futures.
    """
    past = recall(bars, prior)
    made = forecast_variance(past, recent_rows(past, horizon), horizon)
    readings, trend = read_chart(bars, past.frame), read_trend(bars)
    rank = percentile_rank(past.panel.volatility[-MEDIAN_WINDOW:])
    horizons = sorted({*_DROP_HORIZONS, horizon})
    up = newest_direction(past, horizon)
    drops = coherent(tuple(newest_odds(past, each) for each in horizons))
    return Assessment(
        days=len(bars),
        horizon=horizon,
        past=past,
        readings=readings,
        trend=trend,
        sigma_annual=(float(made.variance[-1]) * bars.days_per_year) ** 0.5,
        volatility_rank=rank,
        up=up,
        drops=drops,
        own_falls=own_falls(past, next(each for each in drops if each.horizon == horizon)),
        ranges=central_ranges(made.quantiles[-1]),
        record=calibration(past, made, horizon=horizon, threshold=_JUDGED_FALL),
        breakers=dated(read_breakers(readings, bars.session), bars, past.frame),
        factors=score_factors(trend, volatility_rank=rank, drawdown=readings.drawdown),
        ahead=look_ahead(past, up=up, up_days=horizon, drops=drops, seed=seed),
    )
