"""Many decisions together: by venue, by instrument, and all. Pure, seeded.

Every mean says of how many it is, and how sure it is. Means are weighted by what was executed; an
interval draws whole decisions anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from executor.quality.figures import Figure, Missing, known
from executor.quality.intervals import (
    Cluster,
    Interval,
    bootstrap,
    quantile,
    weighted_mean,
    wilson,
)
from executor.quality.measures import DecisionMeasures, OrderMeasures
from executor.quality.passages import Basis, Stage
from when_to_invest.orders import OrderState

_MEDIAN, _P99 = Decimal("0.5"), Decimal("0.99")
FEWEST_FOR_P99: Final = 100


@dataclass(frozen=True, slots=True)
class Mean:
    """A weighted mean in basis points, of `count` orders."""

    value: Figure
    interval: Interval | Missing
    count: int


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of how many, as a share from 0 to 1."""

    hits: int
    count: int
    ratio: Figure
    interval: Interval | Missing


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds: the middle one and the 99th of 100, of `count`."""

    p50_s: Figure
    p99_s: Figure
    count: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What was measured of a group of orders; `name` is a venue, an instrument, or `all`."""

    name: str
    decisions: int
    orders: int
    notional_usd: Decimal
    quoted: int
    """Orders held against a quote at arrival; all others against an older close, or nothing."""
    arrival_slippage: Mean
    vwap_slippage: Mean
    effective_spread: Mean
    realised_spread: Mean
    fees: Mean
    filled: Rate
    fill_share: Mean
    """Of the quantity sent, what was executed, weighted by notional at the limit; a ratio."""
    rejected: Rate
    latency_s: Mapping[Stage, Spread]
    unknown: int
    oldest_unknown_s: Decimal | None


def summarise(name: str, orders: Sequence[OrderMeasures], *, seed: int) -> Summary:
    """Return what a group of orders amounts to."""
    known_outcome = [order for order in orders if not order.is_unknown]
    ended = [order for order in known_outcome if _has_ended(order)]
    ages = [order.unknown_age_s for order in orders if order.is_unknown and order.unknown_age_s is not None]
    return Summary(
        name=name,
        decisions=len({order.decision_id for order in orders}),
        orders=len(orders),
        notional_usd=sum((order.notional_usd for order in orders), Decimal(0)),
        quoted=sum(order.arrival_basis is Basis.QUOTE for order in orders),
        arrival_slippage=_mean(orders, lambda order: order.arrival_slippage_bps, seed=seed),
        vwap_slippage=_mean(orders, lambda order: order.vwap_slippage_bps, seed=seed),
        effective_spread=_mean(orders, lambda order: order.effective_spread_bps, seed=seed),
        realised_spread=_mean(orders, lambda order: order.realised_spread_bps, seed=seed),
        fees=_mean(orders, lambda order: order.fee_bps, seed=seed),
        filled=_rate(ended, lambda order: order.filled_quantity >= order.quantity),
        fill_share=_fill_share(ended, seed=seed),
        rejected=_rate(known_outcome, lambda order: order.is_rejected),
        latency_s={stage: _spread(orders, stage) for stage in _OWN_STAGES},
        unknown=len(ages),
        oldest_unknown_s=max(ages, default=None),
    )


_OWN_STAGES: Final = (Stage.ACKNOWLEDGED, Stage.FIRST_FILL, Stage.LAST_FILL)


def by(
    orders: Iterable[OrderMeasures], key: Callable[[OrderMeasures], str], *, seed: int
) -> tuple[Summary, ...]:
    """Return a summary for each value of `key`, in order of their names."""
    groups: dict[str, list[OrderMeasures]] = {}
    for order in orders:
        groups.setdefault(key(order), []).append(order)
    return tuple(summarise(name, group, seed=seed) for name, group in sorted(groups.items()))


def hop_spreads(decisions: Sequence[DecisionMeasures]) -> dict[Stage, Spread]:
    """Return how long each hop took, over whole decisions."""
    return {stage: _of([decision.hops_s[stage] for decision in decisions]) for stage in list(Stage)[1:]}


def _spread(orders: Sequence[OrderMeasures], stage: Stage) -> Spread:
    return _of([order.hops_s[stage] for order in orders])


def _of(figures: Sequence[Figure]) -> Spread:
    values = known(figures)
    p99_s = quantile(values, _P99, fewest=FEWEST_FOR_P99)
    return Spread(quantile(values, _MEDIAN, fewest=1), p99_s, len(values))


def _has_ended(order: OrderMeasures) -> bool:
    return order.state in _ENDED


_ENDED: Final = frozenset(
    {OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED, OrderState.SETTLED}
)
"""Reached the venue and ended there; what never arrived says nothing of how a venue fills."""


def _mean(orders: Sequence[OrderMeasures], figure: Callable[[OrderMeasures], Figure], *, seed: int) -> Mean:
    pairs = [(order.decision_id, figure(order), order.notional_usd) for order in orders]
    return _mean_of(
        [(who, value, weight) for who, value, weight in pairs if isinstance(value, Decimal)], seed
    )


def _fill_share(orders: Sequence[OrderMeasures], *, seed: int) -> Mean:
    return _mean_of(
        [(o.decision_id, o.filled_quantity / o.quantity, o.quantity * o.limit_price_usd) for o in orders],
        seed,
    )


def _mean_of(parts: Sequence[tuple[str, Decimal, Decimal]], seed: int) -> Mean:
    clusters: dict[str, Cluster] = {}
    for who, value, weight in parts:
        before = clusters.get(who, Cluster(Decimal(0), Decimal(0)))
        clusters[who] = Cluster(before.weighted + value * weight, before.weight + weight)
    found = list(clusters.values())
    return Mean(weighted_mean(found), bootstrap(found, seed=seed), len(parts))


def _rate(orders: Sequence[OrderMeasures], is_hit: Callable[[OrderMeasures], bool]) -> Rate:
    hits = sum(is_hit(order) for order in orders)
    ratio: Figure = Decimal(hits) / len(orders) if orders else Missing("no order has ended")
    return Rate(hits, len(orders), ratio, wilson(hits, len(orders)))
