"""Every number that may be cited, under one id, with unit, source and snapshot.

Stage: decision (pure), third step. Rules read the rounded numbers from here and nowhere
else, so that what is decided can be checked from what is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Final, NamedTuple

from when_to_invest.decision.assessment import Assessment
from when_to_invest.decision.recommendation import Evidence
from when_to_invest.decision.rounding import stable_figure, stable_ratio
from when_to_invest.market import Snapshot
from when_to_invest.models.fall_odds import THRESHOLDS, HorizonOdds

RATIO: Final = "ratio"
PROBABILITY: Final = "probability"
PER_YEAR: Final = "ratio_per_year"
USD: Final = "usd"
DAYS: Final = "days"
COUNT: Final = "count"
SCORE: Final = "score"
_ROUNDED_TO_DECIMALS: Final = frozenset({RATIO, PROBABILITY, PER_YEAR, SCORE})
KEY_DROP: Final = (0.05, 21)
"""The fall that the rules look at: threshold ratio and horizon in days."""


class _Fact(NamedTuple):
    value: float
    unit: str
    by: str


class EvidenceBook:
    """Collects facts in order; reading an id gives its rounded value."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._facts: dict[str, _Fact] = {}

    def add(self, identity: str, value: float, *, unit: str, by: str) -> float:
        """Record a number computed by module `by`; returns it as rounded."""
        rounded = stable_ratio(value) if unit in _ROUNDED_TO_DECIMALS else stable_figure(value)
        self._facts[identity] = _Fact(rounded, unit, by)
        return rounded

    def __getitem__(self, identity: str) -> float:
        return self._facts[identity].value

    def altered(self, values: Mapping[str, float]) -> EvidenceBook:
        """Return a book in which these ids have other values: what if."""
        book = copy(self)
        book._facts = self._facts | {  # noqa: SLF001  a copy of our own kind
            identity: self._facts[identity]._replace(value=value) for identity, value in values.items()
        }
        return book

    @property
    def values(self) -> Mapping[str, float]:
        """Return all rounded values by id."""
        return {identity: fact.value for identity, fact in self._facts.items()}

    def unit(self, identity: str) -> str:
        """Return the unit of an id."""
        return self._facts[identity].unit

    def items(self) -> tuple[Evidence, ...]:
        """Return all evidence in the order it was added."""
        instrument = self._snapshot.instrument
        origin = f"{instrument.venue or 'recorded'}:{instrument.id}:{instrument.interval}"
        return tuple(
            Evidence(
                id=identity,
                value=fact.value,
                unit=fact.unit,
                source=f"{fact.by}({origin})",
                snapshot=self._snapshot.hash,
            )
            for identity, fact in self._facts.items()
        )


def drop_id(threshold_ratio: float, horizon_days: int) -> str:
    """Return the evidence id of a fall's odds, such as `drop_odds.f05_d21`."""
    return f"drop_odds.f{round(threshold_ratio * 100):02d}_d{horizon_days}"


def collect(snapshot: Snapshot, found: Assessment) -> EvidenceBook:
    """Enter everything that was found."""
    book = EvidenceBook(snapshot)
    for identity, value, unit, by in (
        *_chart(found),
        *_trend(found),
        *_volatility(found),
        *_up(found),
        *(row for odds in found.drops for row in _drops(odds)),
        *_ranges(found),
        *_breakers(found),
        *_factors(found),
    ):
        book.add(identity, value, unit=unit, by=by)
    value, baseline = book[drop_id(*KEY_DROP)], book[drop_id(*KEY_DROP) + ".baseline"]
    lift = value / baseline if baseline > 0.0 else 1.0
    book.add("drop_odds.lift", lift, unit=RATIO, by="models.fall_odds")
    return book


_Row = tuple[str, float, str, str]


def _chart(found: Assessment) -> Iterator[_Row]:
    seen, by = found.readings, "features.readings"
    yield "chart.close", seen.close, USD, by
    yield "chart.days", float(found.days), DAYS, "features.daily"
    yield "chart.return_1d", seen.day_return, RATIO, by
    yield "chart.worst_day_3d", seen.worst_day, RATIO, by
    yield "chart.return_5d", seen.week_return, RATIO, by
    yield "chart.intraday_fall", seen.intraday_fall, RATIO, by
    yield "chart.intraday_rise", seen.intraday_rise, RATIO, by
    yield "chart.drawdown", seen.drawdown, RATIO, by


def _trend(found: Assessment) -> Iterator[_Row]:
    trend, by = found.trend, "signals.trend"
    yield "trend.sma200", trend.sma200, USD, by
    yield "trend.sma200_distance", trend.sma200_distance, RATIO, by
    yield "trend.is_up", float(trend.state.value == "up"), COUNT, by
    yield "trend.momentum_3m", trend.momentum_3m, RATIO, by
    yield "trend.momentum_6m", trend.momentum_6m, RATIO, by
    yield "trend.momentum_12m", trend.momentum_12m, RATIO, by
    yield "trend.rising_count", float(trend.rising_count), COUNT, by


def _volatility(found: Assessment) -> Iterator[_Row]:
    seen = found.readings
    yield "volatility.sigma_annual", found.sigma_annual, PER_YEAR, "models.volatility"
    yield "volatility.rank", found.volatility_rank, RATIO, "signals.score"
    yield "volatility.week", seen.week_volatility, PER_YEAR, "features.readings"
    yield "volatility.week_median_5y", seen.week_volatility_median, PER_YEAR, "features.readings"
    yield "volatility.long_run", seen.long_run_volatility, PER_YEAR, "features.readings"


def _up(found: Assessment) -> Iterator[_Row]:
    up, by = found.up, "models.direction"
    yield "up_odds.value", up.value, PROBABILITY, by
    yield "up_odds.baseline", up.baseline, PROBABILITY, by
    yield "up_odds.trust", up.trust, RATIO, by
    yield "up_odds.brier_skill", up.skill.brier_skill, RATIO, by
    yield "up_odds.t_value", up.skill.t_value, RATIO, by
    yield "up_odds.validation_days", float(up.skill.days), DAYS, by


def _drops(odds: HorizonOdds) -> Iterator[_Row]:
    by = "models.fall_odds"
    for threshold, value, baseline in zip(THRESHOLDS, odds.values, odds.baselines, strict=True):
        identity = drop_id(threshold, odds.horizon)
        yield identity, value, PROBABILITY, by
        yield f"{identity}.baseline", baseline, PROBABILITY, by
    skill = f"drop_odds.d{odds.horizon}"
    yield f"{skill}.brier_skill", odds.skill.brier_skill, RATIO, by
    yield f"{skill}.t_value", odds.skill.t_value, RATIO, by
    yield f"{skill}.validation_days", float(odds.skill.days), DAYS, by


def _ranges(found: Assessment) -> Iterator[_Row]:
    for each in found.ranges:
        name = f"interval.l{round(each.level * 100)}"
        yield f"{name}.low", each.low, RATIO, "models.volatility"
        yield f"{name}.high", each.high, RATIO, "models.volatility"


def _breakers(found: Assessment) -> Iterator[_Row]:
    for breaker in found.breakers:
        yield f"breaker.{breaker.id}", breaker.value, RATIO, "risk.market_breakers"
        yield f"breaker.{breaker.id}.threshold", breaker.threshold, RATIO, "risk.market_breakers"


def _factors(found: Assessment) -> Iterator[_Row]:
    factors, by = found.factors, "signals.score"
    yield "score.trend", factors.trend, RATIO, by
    yield "score.momentum", factors.momentum, RATIO, by
    yield "score.calm", factors.calm, RATIO, by
    yield "score.drawdown", factors.drawdown, RATIO, by
    yield "score.total", factors.total, RATIO, by
