"""Chooses the venue of a child that waits in the book at its limit: one venue, the cheapest. Pure.

Cost is the maker fee and the expected cost of latency: for as long as a cancellation is on its way,
whoever is faster may take the order at a price that has passed (Copeland and Galai 1983). Of venues
that cost the same, the one where least waits ahead at that price or better comes first.

# INVARIANT: nothing that would trade at once, beyond the limit, lots, minima, balances or headroom.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from executor.algos.lots import amount_of
from executor.routing.eligibility import Refusal, levels_of
from executor.routing.latency import latency_cost_usd
from executor.routing.offers import Demand, LeftOut, Offer, Reason, Route, Share
from executor.routing.route import refusals
from executor.routing.shelves import Reach, on_tick, quantity_units
from when_to_invest.money import BPS_PER_UNIT
from when_to_invest.quotes import Quote


@dataclass(frozen=True, slots=True)
class _Place:
    """A venue where the order could wait; `cost_usd` of one base unit, `ahead` in base units."""

    share: Share
    cost_usd: Decimal
    ahead: Decimal

    @property
    def worth(self) -> tuple[Decimal, Decimal, Decimal, str]:
        """Return what decides: most quantity, least cost, least ahead, then the name."""
        return -self.share.quantity, self.cost_usd, self.ahead, self.share.venue


def rest(demand: Demand, offers: Iterable[Offer]) -> Route:
    """Return the one venue where `demand` should wait at its limit, and why no other."""
    named = sorted(offers, key=lambda offer: offer.venue)
    refused = refusals(demand, named)
    places = []
    for offer in named:
        found = refused.get(offer.venue) or _place(offer, demand)
        if isinstance(found, _Place):
            places.append(found)
        else:
            refused[offer.venue] = found
    best = min(places, key=lambda place: place.worth, default=None)
    others = {place.share.venue for place in places if place is not best}
    spare = Reason.NOT_NEEDED, "another takes more of it, costs less, or has less waiting ahead"
    left_out = (LeftOut(venue, *refused.get(venue, spare)) for venue in sorted(others | refused.keys()))
    if best is None:
        return Route((), tuple(left_out), Decimal(0))
    return Route((best.share,), tuple(left_out), best.cost_usd * best.share.quantity)


def _place(offer: Offer, demand: Demand) -> _Place | Refusal:
    if (quote := offer.quote) is None:
        return Reason.NO_QUOTE, "it shows no prices"
    limit_usd = on_tick(demand.limit_price_usd, offer.terms.tick_size_usd, is_buy=not demand.is_buy)
    if limit_usd <= 0:
        return Reason.BEYOND_LIMIT, "the limit is below its smallest step"
    if limit_usd >= quote.ask_usd if demand.is_buy else limit_usd <= quote.bid_usd:
        return Reason.WOULD_TRADE, "an order at the limit would not wait there"
    reach = Reach.of(offer, demand, lot=quantity_units(offer.terms.lot_size))
    least, most = reach.least(limit_usd), reach.most(limit_usd)
    if most < least:
        is_room = reach.lots_wanted < least
        return (Reason.BELOW_MINIMUM if is_room else Reason.NO_ROOM), f"it takes {least} lots, {most} may go"
    share = Share(offer.venue, amount_of(most, offer.terms.lot_size), limit_usd)
    return _Place(share, _cost_usd(offer, demand, limit_usd), _ahead(quote, demand, limit_usd))


def _cost_usd(offer: Offer, demand: Demand, limit_usd: Decimal) -> Decimal:
    """Return what one base unit costs if it trades at the limit; what a sale brings is below zero."""
    sign = demand.side.sign
    waiting_usd = latency_cost_usd(
        limit_usd, variance_per_s=demand.variance_per_s, delivery=offer.delivery, age_s=Decimal(0)
    )
    return sign * limit_usd * (1 + sign * offer.fees.maker_bps / BPS_PER_UNIT) + waiting_usd


def _ahead(quote: Quote, demand: Demand, limit_usd: Decimal) -> Decimal:
    sign = demand.side.sign
    own_side = levels_of(quote, is_buy=not demand.is_buy)
    return sum((size for price, size in own_side if sign * (price - limit_usd) >= 0), Decimal(0))
