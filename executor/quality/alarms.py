"""Tells abnormal execution: cost, rejections, latency, and orders that nobody knows of. Pure.

Stage: measures → whoever tells people. It must never trade or halt.

An alarm is raised above its bound and ends below four fifths of it, so that a figure that wavers is
told once. Too few orders to judge keep an alarm as it is; a quarter of an hour without any ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

from executor.quality.figures import Figure, Missing, known
from executor.quality.intervals import Cluster, quantile, weighted_mean
from executor.quality.measures import OrderMeasures
from executor.quality.passages import Basis, Stage
from home.alarms import WINDOW_S, AlarmSettings

ENDS_BELOW: Final = Decimal("0.8")
"""An alarm ends once its figure is at most so much of the bound."""
_SLOW: Final = Decimal("0.9")


@unique
class Kind(StrEnum):
    """What is abnormal."""

    SLIPPAGE = "slippage"
    REJECT_RATE = "reject_rate"
    LATENCY = "latency"
    UNKNOWN_AGE = "unknown_age"


@dataclass(frozen=True, slots=True)
class Alert:
    """One abnormal thing: of what (`venue:…`, `instrument:…`), how much, since when, what to do."""

    kind: Kind
    scope: str
    measured: Decimal
    bound: Decimal
    unit: str
    since: datetime
    what_to_do: str


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: Kind
    scope_of: Callable[[OrderMeasures], str]
    measure: Callable[[Sequence[OrderMeasures], AlarmSettings], Figure]
    bound_of: Callable[[AlarmSettings], Decimal]
    unit: str
    what_to_do: str
    is_of_window: bool = True


def alarms(
    orders: Iterable[OrderMeasures], bounds: AlarmSettings, *, standing: Iterable[Alert], now: datetime
) -> tuple[Alert, ...]:
    """Return every alarm that holds at `now`, by kind and scope.

    `standing`: what the last call returned; an alarm that goes on keeps its `since`.
    """
    all_of = [order for order in orders if order.sent_at <= now]
    before = {(alert.kind, alert.scope): alert for alert in standing}
    return tuple(
        alert
        for rule in _RULES
        for scope, own in _by_scope(rule, all_of, now=now)
        if (alert := _judged(rule, own, bounds, before=before.get((rule.kind, scope)), at=(scope, now)))
    )


def _by_scope(
    rule: _Rule, orders: Sequence[OrderMeasures], *, now: datetime
) -> list[tuple[str, list[OrderMeasures]]]:
    """Return the orders to judge for each scope; a scope without any has nothing abnormal."""
    found: dict[str, list[OrderMeasures]] = {}
    since = now - timedelta(seconds=WINDOW_S)
    for order in orders:
        if not rule.is_of_window or order.sent_at >= since:
            found.setdefault(rule.scope_of(order), []).append(order)
    return sorted(found.items())


def _judged(
    rule: _Rule,
    orders: Sequence[OrderMeasures],
    bounds: AlarmSettings,
    *,
    before: Alert | None,
    at: tuple[str, datetime],
) -> Alert | None:
    measured, bound = rule.measure(orders, bounds), rule.bound_of(bounds)
    if isinstance(measured, Missing):
        return before
    is_raised = measured > bound if before is None else measured > bound * ENDS_BELOW
    if not is_raised:
        return None
    scope, now = at
    since = now if before is None else before.since
    return Alert(rule.kind, scope, measured, bound, rule.unit, since, rule.what_to_do)


def _of_venue(order: OrderMeasures) -> str:
    return f"venue:{order.venue}"


def _of_instrument(order: OrderMeasures) -> str:
    return f"instrument:{order.instrument}"


def _slippage(orders: Sequence[OrderMeasures], bounds: AlarmSettings) -> Figure:
    """Return the mean cost against quotes at arrival: against an old close it would tell of the market."""
    del bounds
    clusters = [
        Cluster(order.arrival_slippage_bps * order.notional_usd, order.notional_usd)
        for order in orders
        if order.arrival_basis is Basis.QUOTE and isinstance(order.arrival_slippage_bps, Decimal)
    ]
    return weighted_mean(clusters)


def _rejected(orders: Sequence[OrderMeasures], bounds: AlarmSettings) -> Figure:
    answered = [order for order in orders if not order.is_unknown]
    if len(answered) < bounds.fewest_orders:
        return Missing(f"fewer than {bounds.fewest_orders} orders were answered")
    return Decimal(sum(order.is_rejected for order in answered)) / len(answered)


def _slow(orders: Sequence[OrderMeasures], bounds: AlarmSettings) -> Figure:
    took = known(order.hops_s[Stage.ACKNOWLEDGED] for order in orders)
    return quantile(took, _SLOW, fewest=bounds.fewest_orders)


def _unknown(orders: Sequence[OrderMeasures], bounds: AlarmSettings) -> Figure:
    del bounds
    ages = [order.unknown_age_s for order in orders if order.is_unknown and order.unknown_age_s is not None]
    return max(ages, default=Decimal(0))


_RULES: Final = (
    _Rule(
        Kind.SLIPPAGE,
        _of_instrument,
        _slippage,
        lambda bounds: bounds.max_slippage_bps,
        "bps",
        "compare the fills with the market; stop the instrument with `halt` while it goes on",
    ),
    _Rule(
        Kind.REJECT_RATE,
        _of_venue,
        _rejected,
        lambda bounds: bounds.max_reject_ratio,
        "ratio",
        "read the venue's reasons in `status`; check balance, lots and limits there",
    ),
    _Rule(
        Kind.LATENCY,
        _of_venue,
        _slow,
        lambda bounds: bounds.max_acknowledgement_s,
        "s",
        "check the venue's status and the network; nine in ten answers come within this",
    ),
    _Rule(
        Kind.UNKNOWN_AGE,
        _of_venue,
        _unknown,
        lambda bounds: bounds.max_unknown_s,
        "s",
        "look the order up at the venue; `when-to-invest settle` books what you find",
        is_of_window=False,
    ),
)
