"""Chooses the venues of a child that trades at once: most of it, at the least cost all in. Pure.

Cost is price, taker fee and the expected cost of latency. The answer is exact where each venue's lot
divides the next larger one, as powers of ten do; other lots are counted in common multiples, and the
answer is then feasible and never worse than the best single venue.

# INVARIANT: no share beyond the limit, a venue's lots, minima, balances or headroom; all together
# never more than what is wanted. The order in which venues are named changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import lcm

from executor.algos.lots import amount_of
from executor.routing.eligibility import Refusal, refusal
from executor.routing.minima import Choice, choose
from executor.routing.offers import Demand, LeftOut, Offer, Reason, Route, Share
from executor.routing.shelves import COST_DIGITS, QUANTITY_DIGITS, Shelf, quantity_units, shelf_of


def route(demand: Demand, offers: Iterable[Offer]) -> Route:
    """Return what each venue gets of `demand`, and why every other one gets nothing."""
    named = sorted(offers, key=lambda offer: offer.venue)
    refused = refusals(demand, named)
    taking = [offer for offer in named if offer.venue not in refused]
    shelves: list[Shelf] = []
    for offer, lot in zip(taking, _lots(taking), strict=True):
        shelf = shelf_of(offer, demand, place=len(shelves), lot=lot)
        if isinstance(shelf, Shelf):
            shelves.append(shelf)
        else:
            refused[offer.venue] = shelf
    units = quantity_units(demand.quantity)
    best, chosen = choose(shelves, units=units), shelves
    for alone in _alone(demand, taking):
        single = choose([alone], units=units)
        if single.worth < best.worth:
            best, chosen = single, [alone]
    return _told(best, chosen, named=named, refused=refused)


def refusals(demand: Demand, named: Sequence[Offer]) -> dict[str, Refusal]:
    """Return the venues that take no part at all, and why."""
    twice = {venue for venue, count in Counter(offer.venue for offer in named).items() if count > 1}
    found: dict[str, Refusal] = {}
    for offer in named:
        if offer.venue in twice:
            found[offer.venue] = Reason.NAMED_TWICE, "two offers bear its name"
        elif why := refusal(offer, demand) or _lot_refusal(offer):
            found[offer.venue] = why
    return found


def _lot_refusal(offer: Offer) -> Refusal | None:
    lot_size = offer.terms.lot_size
    if amount_of(quantity_units(lot_size), Decimal(1).scaleb(-QUANTITY_DIGITS)) == lot_size:
        return None
    return Reason.UNUSABLE_TERMS, "its lot has too many decimals"


def _lots(offers: Sequence[Offer]) -> list[int]:
    """Return each venue's lot as units, made larger where it does not divide the next."""
    own = [quantity_units(offer.terms.lot_size) for offer in offers]
    counted: dict[int, int] = {}
    running = 1
    for lot in sorted(set(own)):
        running = lcm(running, lot)
        counted[lot] = running
    return [counted[lot] for lot in own]


def _alone(demand: Demand, offers: Sequence[Offer]) -> list[Shelf]:
    """Return the venues whose own lots were made larger, each by itself in its own lots."""
    found = []
    for offer, lot in zip(offers, _lots(offers), strict=True):
        own = quantity_units(offer.terms.lot_size)
        if lot != own:
            shelf = shelf_of(offer, demand, place=0, lot=own)
            found += [shelf] if isinstance(shelf, Shelf) else []
    return found


def _told(
    best: Choice, chosen: Sequence[Shelf], *, named: Sequence[Offer], refused: dict[str, Refusal]
) -> Route:
    shares = tuple(_share(shelf, lots) for shelf in chosen if (lots := best.lots.get(shelf.place, 0)))
    served = {share.venue for share in shares}
    idle = {offer.venue for offer in named} - served
    spare = Reason.NOT_NEEDED, "what is wanted costs less elsewhere, or does not fit beside it"
    left_out = (LeftOut(venue, *refused.get(venue, spare)) for venue in sorted(idle))
    cost_usd = amount_of(best.worth[1], Decimal(1).scaleb(-QUANTITY_DIGITS - COST_DIGITS))
    return Route(shares, tuple(left_out), cost_usd)


def _share(shelf: Shelf, lots: int) -> Share:
    quantity = amount_of(lots * shelf.lot, Decimal(1).scaleb(-QUANTITY_DIGITS))
    return Share(shelf.venue, quantity, shelf.limit_usd(lots))
