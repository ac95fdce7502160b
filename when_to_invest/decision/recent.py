"""What the rules answered on the days before today, each day as it was answered then.

Stage: decision (pure). Reads the same facts, rounds them the same way and walks the same rule
tree as today's answer, for many days at once. It only looks back: a day's answer is the same
whether it is the newest day or a past one. Whether the odds of a fall may decide at all is
judged once, as of the day that asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from when_to_invest.decision.evidence import COUNT, KEY_DROP, PER_YEAR, RATIO, EvidenceBook
from when_to_invest.decision.rounding import stable_ratio
from when_to_invest.decision.rules import Case, Decision, decide
from when_to_invest.decision.sizing import Sizing, size_up
from when_to_invest.features.daily import closed_instant
from when_to_invest.features.readings import Readings, read_days
from when_to_invest.market import Snapshot
from when_to_invest.models.fall_odds import THRESHOLDS, fall_odds
from when_to_invest.models.past import Past
from when_to_invest.models.volatility import forecast_variance
from when_to_invest.risk.market_breakers import SHOCKS, read_breakers
from when_to_invest.signals.trend import Trend, TrendState, read_trends

_BY: Final = "decision.recent"


@dataclass(frozen=True, slots=True)
class Day:
    """What the rules answered at one close, and the size they read.

    `is_paused`: trading was halted, or a sharp fall was under way.
    """

    closed_at: datetime
    decision: Decision
    sizing: Sizing
    is_paused: bool


def day_of(case: Case, closed_at: datetime) -> Day:
    """Return what the rules answer to `case`."""
    is_paused = any(breaker.cap == 0.0 or breaker.id in SHOCKS for breaker in case.on())
    return Day(closed_at, decide(case), case.sizing, is_paused)


@dataclass(frozen=True, slots=True)
class Question:
    """Which days to ask about: rows `first` to `stop` (exclusive), `horizon` days ahead.

    `has_drop_skill`: whether the odds of a fall may decide.
    """

    first: int
    stop: int
    horizon: int
    has_drop_skill: bool


def past_days(snapshot: Snapshot, past: Past, asked: Question) -> tuple[Day, ...]:
    """Return the rules' answers on the days asked for, oldest first."""
    if asked.first >= asked.stop:
        return ()
    days = []
    for row, (readings, trend, sigma_annual, lift) in enumerate(_facts(past, asked), start=asked.first):
        book = _book(snapshot, trend, sigma_annual, lift)
        breakers = read_breakers(readings, past.bars.session)
        case = Case(book, breakers, size_up(book, breakers), asked.has_drop_skill)
        days.append(day_of(case, closed_instant(past.bars, row)))
    return tuple(days)


def _facts(past: Past, asked: Question) -> Iterator[tuple[Readings, Trend, float, float]]:
    """Yield each day's chart, trend, volatility per year and lift of the odds of a fall."""
    import numpy as np

    bars = past.bars.until(asked.stop)
    variance = forecast_variance(past, np.arange(asked.first, asked.stop), asked.horizon).variance
    trends = read_trends(bars, first=asked.first)
    return zip(
        read_days(bars, past.frame, first=asked.first, stop=asked.stop),
        trends,
        [(each * bars.days_per_year) ** 0.5 for each in variance.tolist()],
        _lifts(past, asked, trends),
        strict=True,
    )


def _lifts(past: Past, asked: Question, trends: Sequence[Trend]) -> Sequence[float]:
    """Return the odds of the fall that the rules look at, over their base rate.

    1 where they decide nothing: without skill, and while every day's trend is down.
    """
    import numpy as np

    threshold, horizon = KEY_DROP
    if not asked.has_drop_skill or all(trend.state is TrendState.DOWN for trend in trends):
        return [1.0] * (asked.stop - asked.first)
    found = fall_odds(past, np.arange(asked.first, asked.stop), horizon, THRESHOLDS)
    column = THRESHOLDS.index(threshold)
    pairs = zip(found.odds[:, column].tolist(), found.base[:, column].tolist(), strict=True)
    return [_lift(stable_ratio(odds), stable_ratio(base)) for odds, base in pairs]


def _lift(odds: float, base: float) -> float:
    return odds / base if base > 0.0 else 1.0


def _book(snapshot: Snapshot, trend: Trend, sigma_annual: float, lift: float) -> EvidenceBook:
    """Return the facts that the rule tree reads, rounded as they are shown."""
    book = EvidenceBook(snapshot)
    for identity, value, unit in (
        ("trend.sma200_distance", trend.sma200_distance, RATIO),
        ("trend.is_up", float(trend.state.value == "up"), COUNT),
        ("trend.momentum_12m", trend.momentum_12m, RATIO),
        ("trend.rising_count", float(trend.rising_count), COUNT),
        ("volatility.sigma_annual", sigma_annual, PER_YEAR),
        ("drop_odds.lift", lift, RATIO),
    ):
        book.add(identity, value, unit=unit, by=_BY)
    return book
