"""Which venues take part at all. Pure; whatever is missing, old or makes no sense stays outside."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Final

from executor.routing.offers import Demand, Offer, Reason
from when_to_invest.money import BPS_PER_UNIT
from when_to_invest.quotes import Level, Quote

Refusal = tuple[Reason, str]
_MICROSECONDS: Final = Decimal(1_000_000)


def age_s(quote: Quote, demand: Demand) -> Decimal:
    """Return how old a quote is, in seconds; below zero when it comes from the future."""
    age = demand.now - quote.at
    return Decimal(age.days * 86_400 + age.seconds) + Decimal(age.microseconds) / _MICROSECONDS


def refusal(offer: Offer, demand: Demand) -> Refusal | None:
    """Return why a venue cannot take part whatever it asks, or none."""
    if offer.quote is None:
        return Reason.NO_QUOTE, "it shows no prices"
    return _quote_refusal(offer.quote, demand) or _terms_refusal(offer) or _record_refusal(offer)


def levels_of(quote: Quote, *, is_buy: bool) -> tuple[Level, ...]:
    """Return what an order could trade with, the best first."""
    if is_buy:
        return quote.asks or ((quote.ask_usd, quote.ask_quantity),)
    return quote.bids or ((quote.bid_usd, quote.bid_quantity),)


def _quote_refusal(quote: Quote, demand: Demand) -> Refusal | None:
    if quote.instrument != demand.instrument:
        return Reason.OTHER_INSTRUMENT, f"its quote is of {quote.instrument}"
    if not _is_sound(quote):
        return Reason.BROKEN_QUOTE, "its prices are not finite, have crossed, or are not sorted"
    age = age_s(quote, demand)
    if age < 0:
        return Reason.QUOTE_FROM_THE_FUTURE, f"its quote is {-age} s ahead of our clock"
    if age > demand.max_quote_age_s:
        return Reason.STALE_QUOTE, f"its quote is {age} s old, {demand.max_quote_age_s} s are allowed"
    return None


def _is_sound(quote: Quote) -> bool:
    """Whether a quote still is what its own class demands: it may have come past its constructor."""
    best = ((quote.bid_usd, quote.bid_quantity), (quote.ask_usd, quote.ask_quantity))
    if quote.at.tzinfo is None or not all(_is_level(each) for each in (*best, *quote.bids, *quote.asks)):
        return False
    is_sorted = all(a[0] < b[0] for a, b in pairwise(quote.asks)) and all(
        a[0] > b[0] for a, b in pairwise(quote.bids)
    )
    asks, bids = levels_of(quote, is_buy=True), levels_of(quote, is_buy=False)
    return is_sorted and bids[0][0] < asks[0][0]


def _is_level(level: Level) -> bool:
    price_usd, quantity = level
    return price_usd.is_finite() and quantity.is_finite() and price_usd > 0 and quantity > 0


def _terms_refusal(offer: Offer) -> Refusal | None:
    terms, fees, room = offer.terms, offer.fees, offer.room
    steps, least = (terms.lot_size, terms.tick_size_usd), (terms.min_quantity, terms.min_notional_usd)
    if not _all_finite((*steps, *least)) or min(steps) <= 0 or min(least) < 0:
        return Reason.UNUSABLE_TERMS, "its lot, tick or minima make no sense"
    charged = (fees.taker_bps, fees.maker_bps)
    if not _all_finite(charged) or not -BPS_PER_UNIT < min(charged) <= max(charged) < BPS_PER_UNIT:
        return Reason.UNUSABLE_TERMS, "its fees make no sense"
    if not _all_finite((room.cash_usd, room.units, room.headroom_usd)):
        return Reason.NO_ROOM, "what it holds for us, or may, is not known"
    return None


def _record_refusal(offer: Offer) -> Refusal | None:
    record = offer.delivery
    figures = (record.latency_s, record.latency_spread_s, record.reject_ratio)
    if not _all_finite(figures) or min(figures) < 0:
        return Reason.UNUSABLE_RECORD, "its latency or reject rate makes no sense"
    if record.reject_ratio >= 1:
        return Reason.UNUSABLE_RECORD, "it rejects everything"
    return None


def _all_finite(values: Iterable[Decimal]) -> bool:
    return all(value.is_finite() for value in values)
