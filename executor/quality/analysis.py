"""The whole account of execution: every decision, venues, instruments, hops, alarms, limits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pydantic import ValidationError

from executor.quality.alarms import Alert, alarms
from executor.quality.figures import Figure, Missing
from executor.quality.measures import DecisionMeasures, OrderMeasures, measure
from executor.quality.nearness import Usage, usages
from executor.quality.passages import Stage, passage_of
from executor.quality.summaries import Spread, Summary, by, hop_spreads, summarise
from executor.quality.tape import Tape
from home.alarms import AlarmSettings
from policies.facts import Facts
from policies.limits import Limits
from when_to_invest import events as ev
from when_to_invest.history import DecisionRecord

SEED = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What execution is held against."""

    alarms: AlarmSettings
    limits: Limits


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the shortfall over the decisions for which all are known, in USD."""

    delay_usd: Decimal
    execution_usd: Decimal
    opportunity_usd: Decimal
    fees_usd: Decimal
    paper_usd: Decimal
    count: int

    @property
    def total_usd(self) -> Decimal:
        """Return what they add up to."""
        return self.delay_usd + self.execution_usd + self.opportunity_usd + self.fees_usd


@dataclass(frozen=True, slots=True)
class Analysis:
    """What execution was worth; decisions oldest first."""

    now: datetime
    decisions: tuple[DecisionMeasures, ...]
    total: Summary
    venues: tuple[Summary, ...]
    instruments: tuple[Summary, ...]
    hops: Mapping[Stage, Spread]
    shortfall: Parts
    alarms: tuple[Alert, ...]
    limits: tuple[Usage, ...]

    @property
    def orders(self) -> tuple[OrderMeasures, ...]:
        """Return every order of every decision."""
        return tuple(order for decision in self.decisions for order in decision.orders)


def measured(
    records: Iterable[DecisionRecord], tapes: Mapping[str, Tape], *, now: datetime
) -> tuple[DecisionMeasures, ...]:
    """Return what can be said of every decision that was sealed, oldest first."""
    passages = [passage for record in records if (passage := passage_of(record)) is not None]
    found = [measure(each, tapes.get(each.instrument, Tape()), now=now) for each in passages]
    return tuple(sorted(found, key=lambda each: (each.at, each.decision_id)))


def analyse(
    records: Sequence[DecisionRecord],
    tapes: Mapping[str, Tape],
    bounds: Bounds,
    *,
    now: datetime,
    seed: int = SEED,
) -> Analysis:
    """Return the account of `records` at `now`."""
    decisions = measured(records, tapes, now=now)
    orders = [order for decision in decisions for order in decision.orders]
    facts = newest_facts(records)
    return Analysis(
        now=now,
        decisions=decisions,
        total=summarise("all", orders, seed=seed),
        venues=by(orders, lambda order: order.venue, seed=seed),
        instruments=by(orders, lambda order: order.instrument, seed=seed),
        hops=hop_spreads(decisions),
        shortfall=_parts(decisions),
        alarms=alarms(orders, bounds.alarms, standing=(), now=now),
        limits=() if facts is None else usages(facts, bounds.limits),
    )


def newest_facts(records: Iterable[DecisionRecord]) -> Facts | None:
    """Return what the newest judgement knew; none when no journalled one can be read any more."""
    judged = [event for each in records for event in each.events if isinstance(event, ev.IntentJudged)]
    for event in sorted(judged, key=lambda each: each.at, reverse=True):
        try:
            return Facts.model_validate_json(event.facts_json)
        except ValidationError:  # of another release, or redacted
            continue
    return None


def _parts(decisions: Iterable[DecisionMeasures]) -> Parts:
    known = [each.shortfall for each in decisions if not isinstance(each.shortfall.total_usd, Missing)]
    return Parts(
        delay_usd=_sum(each.delay_usd for each in known),
        execution_usd=_sum(each.execution_usd for each in known),
        opportunity_usd=_sum(each.opportunity_usd for each in known),
        fees_usd=_sum(each.fees_usd for each in known),
        paper_usd=_sum(each.paper_usd for each in known),
        count=len(known),
    )


def _sum(figures: Iterable[Figure]) -> Decimal:
    return sum((figure for figure in figures if isinstance(figure, Decimal)), Decimal(0))
