"""How well orders were executed, as scripts get it: text for amounts, null and a reason for the unknown."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from executor.quality.figures import Figure, Missing
from when_to_invest.canonical import utc_text
from when_to_invest.money import decimal_text

if TYPE_CHECKING:
    from executor.quality.alarms import Alert
    from executor.quality.analysis import Analysis, Parts
    from executor.quality.measures import DecisionMeasures, OrderMeasures
    from executor.quality.summaries import Mean, Rate, Spread, Summary

_DECIMALS: Final = 6


def analysis_json(found: Analysis) -> dict[str, object]:
    """Return the object that `tca --json` promises."""
    return {
        "now": utc_text(found.now),
        "all": summary_json(found.total),
        "venues": [summary_json(each) for each in found.venues],
        "instruments": [summary_json(each) for each in found.instruments],
        "hops": {stage.value: _spread(spread) for stage, spread in found.hops.items()},
        "shortfall": _parts(found.shortfall),
        "alarms": [alert_json(each) for each in found.alarms],
        "limits": [
            {
                "limit": each.limit,
                "used": _text(each.used),
                "allowed": _text(each.allowed),
                "near": each.is_near,
            }
            for each in found.limits
        ],
        "decisions": [measures_json(each) for each in found.decisions],
    }


def measures_json(found: DecisionMeasures) -> dict[str, object]:
    """Return one decision with its orders."""
    fall = found.shortfall
    figures: dict[str, Figure] = {
        "average_price_usd": found.average_price_usd,
        "arrival_slippage_bps": found.arrival_slippage_bps,
        "vwap_slippage_bps": found.vwap_slippage_bps,
        "delay_usd": fall.delay_usd,
        "execution_usd": fall.execution_usd,
        "opportunity_usd": fall.opportunity_usd,
        "fees_usd": fall.fees_usd,
        "shortfall_usd": fall.total_usd,
        "shortfall_bps": fall.total_bps,
    }
    hops: dict[str, Figure] = {f"{stage.value}_after_s": took for stage, took in found.hops_s.items()}
    return {
        "decision_id": found.decision_id,
        "instrument": found.instrument,
        "side": found.side.value,
        "at": utc_text(found.at),
        "quantity": _text(found.quantity),
        "filled_quantity": _text(found.filled_quantity),
        "is_over": found.is_over,
        "arrival_basis": None if isinstance(found.arrival, Missing) else found.arrival.basis.value,
        **_told(figures | hops),
        "orders": [_order(each) for each in found.orders],
    }


def _order(found: OrderMeasures) -> dict[str, object]:
    figures: dict[str, Figure] = {
        "average_price_usd": found.average_price_usd,
        "arrival_slippage_bps": found.arrival_slippage_bps,
        "vwap_slippage_bps": found.vwap_slippage_bps,
        "effective_spread_bps": found.effective_spread_bps,
        "realised_spread_bps": found.realised_spread_bps,
        "fee_bps": found.fee_bps,
    }
    hops: dict[str, Figure] = {f"{stage.value}_after_s": took for stage, took in found.hops_s.items()}
    return {
        "client_order_id": found.client_order_id,
        "venue": found.venue,
        "sent_at": utc_text(found.sent_at),
        "state": found.state.value,
        "quantity": _text(found.quantity),
        "filled_quantity": _text(found.filled_quantity),
        "is_unknown": found.is_unknown,
        "unknown_age_s": None if found.unknown_age_s is None else _text(found.unknown_age_s),
        **_told(figures | hops),
    }


def summary_json(found: Summary) -> dict[str, object]:
    """Return what a group of orders amounts to, every figure with its count and interval."""
    return {
        "name": found.name,
        "decisions": found.decisions,
        "orders": found.orders,
        "notional_usd": _text(found.notional_usd),
        "quoted_orders": found.quoted,
        "arrival_slippage_bps": _mean(found.arrival_slippage),
        "vwap_slippage_bps": _mean(found.vwap_slippage),
        "effective_spread_bps": _mean(found.effective_spread),
        "realised_spread_bps": _mean(found.realised_spread),
        "fee_bps": _mean(found.fees),
        "filled_ratio": _rate(found.filled),
        "filled_quantity_ratio": _mean(found.fill_share),
        "rejected_ratio": _rate(found.rejected),
        "latency_s": {stage.value: _spread(spread) for stage, spread in found.latency_s.items()},
        "unknown_orders": found.unknown,
        "oldest_unknown_s": None if found.oldest_unknown_s is None else _text(found.oldest_unknown_s),
    }


def alert_json(found: Alert) -> dict[str, object]:
    """Return one alarm."""
    return {
        "kind": found.kind.value,
        "scope": found.scope,
        "measured": _text(found.measured),
        "bound": _text(found.bound),
        "unit": found.unit,
        "since": utc_text(found.since),
        "what_to_do": found.what_to_do,
    }


def _mean(found: Mean) -> dict[str, object]:
    interval = found.interval
    ends = None if isinstance(interval, Missing) else [_text(interval.low), _text(interval.high)]
    return {**_told({"value": found.value}), "count": found.count, "ci95": ends}


def _rate(found: Rate) -> dict[str, object]:
    interval = found.interval
    ends = None if isinstance(interval, Missing) else [_text(interval.low), _text(interval.high)]
    return {**_told({"value": found.ratio}), "hits": found.hits, "count": found.count, "ci95": ends}


def _spread(found: Spread) -> dict[str, object]:
    return {**_told({"p50_s": found.p50_s, "p99_s": found.p99_s}), "count": found.count}


def _parts(found: Parts) -> dict[str, object]:
    names = ("delay_usd", "execution_usd", "opportunity_usd", "fees_usd", "total_usd", "paper_usd")
    return {**{name: _text(getattr(found, name)) for name in names}, "count": found.count}


def _told(figures: Mapping[str, Figure]) -> dict[str, object]:
    """Return each figure as text or null, and why those are null."""
    missing = {name: figure.why for name, figure in figures.items() if isinstance(figure, Missing)}
    shown = {name: None if isinstance(each, Missing) else _text(each) for name, each in figures.items()}
    return {**shown, "missing": missing}


def _text(value: Decimal) -> str:
    return decimal_text(round(value, _DECIMALS))
