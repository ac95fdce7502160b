"""A venue's side of the book counted in whole lots: what each further lot costs, how many may go.

Pure. Quantities are integers of 1e-18 base units, costs integers of 1e-42 USD, so that sums are
exact. Lots get dearer with depth: fees are linear and the levels are sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final, NamedTuple

from executor.algos.lots import amount_of, covering_steps, whole_steps
from executor.routing.eligibility import Refusal, age_s, levels_of
from executor.routing.latency import latency_cost_usd
from executor.routing.offers import Demand, Offer, Reason
from when_to_invest.money import BPS_PER_UNIT
from when_to_invest.quotes import Level, Quote

QUANTITY_DIGITS: Final = 18
COST_DIGITS: Final = 24
_EXACT: Final = Context(prec=80)
_Priced = tuple[int, int, Decimal]
"""A level: quantity and cost of one base unit as integers, and the limit that trades with it."""


class Run(NamedTuple):
    """`copies` lots that cost the same, each `cost` in all; its venue and the lots of it in one."""

    size: int
    cost: int
    copies: int
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What may be taken of one venue: nothing, or from `least` to `most` lots of `lot`."""

    place: int
    venue: str
    lot: int
    least: int
    most: int
    runs: tuple[Run, ...]
    ends: tuple[tuple[int, Decimal], ...]
    """Up to how many lots each limit price is enough."""

    def limit_usd(self, lots: int) -> Decimal:
        """Return the limit that so many lots need."""
        return next(limit for end, limit in self.ends if lots <= end)


def quantity_units(value: Decimal) -> int:
    """Return base units as an integer, rounded down."""
    return int(_EXACT.scaleb(value, QUANTITY_DIGITS).to_integral_value(ROUND_FLOOR, _EXACT))


def shelf_of(offer: Offer, demand: Demand, *, place: int, lot: int) -> Shelf | Refusal:
    """Return what a venue offers within the demand, in lots of `lot`; or why it is nothing."""
    levels = _levels_within(offer, demand)
    if not levels:
        return Reason.BEYOND_LIMIT, "its best price is beyond the limit"
    reach = Reach.of(offer, demand, lot=lot)
    least, ends = _span(levels, reach, lot=lot)
    most = ends[-1][0] if ends else 0
    if not 0 < least <= most:
        return _too_little(reach, levels)
    runs = _runs(levels, lot=lot, most=most, place=place)
    return Shelf(place, offer.venue, lot, least, most, runs, tuple(ends))


def _span(levels: list[_Priced], reach: Reach, *, lot: int) -> tuple[int, list[tuple[int, Decimal]]]:
    """Return the fewest lots that the venue takes, and up to how many each limit price is enough.

    Where a deeper price is so low that the minimum is missed again, the shelf ends before it.
    """
    least, begun = 0, 0
    ends: list[tuple[int, Decimal]] = []
    depths, deepest_usd = _depths(levels, lot), levels[-1][2]
    allowed, needed_deepest = reach.most(deepest_usd), reach.least(deepest_usd)
    for (_, _, limit_usd), depth in zip(levels, depths, strict=True):
        if depth == begun:
            continue
        if not 0 < needed_deepest <= least:
            needed = max(reach.least(limit_usd), begun + 1)
            if least and needed > begun + 1:
                break
            least = least or (needed if needed <= depth else 0)
        lots = depth if depth <= allowed else min(depth, reach.most(limit_usd))
        if lots > begun:
            ends.append((lots, limit_usd))
        if lots < depth:
            break
        begun = lots
    return least, ends


@dataclass(frozen=True, slots=True)
class Reach:
    """How few and how many lots a venue may get at a limit price."""

    lot_size: Decimal
    lots_wanted: int
    offer: Offer
    is_buy: bool
    best_usd: Decimal

    @classmethod
    def of(cls, offer: Offer, demand: Demand, *, lot: int) -> Reach:
        """Return the reach of a demand at a venue whose quote is known, in lots of `lot`."""
        size = Decimal(lot).scaleb(-QUANTITY_DIGITS, _EXACT)
        wanted = quantity_units(demand.quantity) // lot
        quote = offer.quote
        best_usd = quote.bid_usd if quote is not None else Decimal(0)
        return cls(size, wanted, offer, demand.is_buy, best_usd)

    def least(self, limit_usd: Decimal) -> int:
        """Return the fewest lots that the venue takes at a limit."""
        terms = self.offer.terms
        by_notional = covering_steps(terms.min_notional_usd, _EXACT.multiply(limit_usd, self.lot_size))
        return max(covering_steps(terms.min_quantity, self.lot_size), by_notional, 1)

    def most(self, limit_usd: Decimal) -> int:
        """Return the most lots by demand, by what is held there, and by the room below the limits."""
        room = self.offer.room
        worth_usd = _EXACT.multiply(max(limit_usd, self.best_usd), self.lot_size)
        by_limits = whole_steps(room.headroom_usd, worth_usd)
        if not self.is_buy:
            return min(self.lots_wanted, whole_steps(room.units, self.lot_size), by_limits)
        charged = 1 + max(self.offer.fees.taker_bps, Decimal(0)) / BPS_PER_UNIT
        cost_usd = _EXACT.multiply(_EXACT.multiply(limit_usd, self.lot_size), charged)
        return min(self.lots_wanted, whole_steps(room.cash_usd, cost_usd), by_limits)


def _levels_within(offer: Offer, demand: Demand) -> list[_Priced]:
    quote = offer.quote
    if quote is None:
        return []
    found: list[_Priced] = []
    needed, seen = quantity_units(demand.quantity), 0
    waiting_usd = _waiting_usd(offer, quote, demand)
    for price_usd, quantity in levels_of(quote, is_buy=demand.is_buy):
        limit_usd = on_tick(price_usd, offer.terms.tick_size_usd, is_buy=demand.is_buy)
        if _is_beyond(limit_usd, demand) or seen >= needed:
            break
        units = quantity_units(quantity)
        cost = _cost_units((price_usd, quantity), offer, demand=demand, waiting_usd=waiting_usd)
        found.append((units, cost, limit_usd))
        seen += units
    return found


def _waiting_usd(offer: Offer, quote: Quote, demand: Demand) -> Decimal:
    return latency_cost_usd(
        quote.ask_usd if demand.is_buy else quote.bid_usd,
        variance_per_s=demand.variance_per_s,
        delivery=offer.delivery,
        age_s=age_s(quote, demand),
    )


def _cost_units(level: Level, offer: Offer, *, demand: Demand, waiting_usd: Decimal) -> int:
    sign = demand.side.sign
    charged = 1 + sign * offer.fees.taker_bps / BPS_PER_UNIT
    cost_usd = _EXACT.add(_EXACT.multiply(sign * level[0], charged), waiting_usd)
    return int(_EXACT.scaleb(cost_usd, COST_DIGITS).to_integral_value(ROUND_CEILING, _EXACT))


def on_tick(price_usd: Decimal, tick_usd: Decimal, *, is_buy: bool) -> Decimal:
    """Return the nearest tick at which a price still trades: above for a buyer, below for a seller."""
    steps = covering_steps(price_usd, tick_usd) if is_buy else whole_steps(price_usd, tick_usd)
    return amount_of(steps, tick_usd)


def _is_beyond(limit_usd: Decimal, demand: Demand) -> bool:
    return limit_usd <= 0 or demand.side.sign * (limit_usd - demand.limit_price_usd) > 0


def _depths(levels: list[_Priced], lot: int) -> list[int]:
    """Return how many whole lots there are up to the end of each level."""
    found, units = [], 0
    for quantity, _, _ in levels:
        units += quantity
        found.append(units // lot)
    return found


def _too_little(reach: Reach, levels: list[_Priced]) -> Refusal:
    limit_usd = levels[0][2]
    if reach.lots_wanted >= reach.least(limit_usd) > reach.most(limit_usd):
        return Reason.NO_ROOM, "what it holds for us, or the limits, leave less room than its minimum"
    return Reason.BELOW_MINIMUM, "less is wanted, or offered within the limit, than it takes"


def _runs(levels: list[_Priced], *, lot: int, most: int, place: int) -> tuple[Run, ...]:
    """Return what each lot costs, in order; one that reaches over several levels stands alone."""
    parts, found = ((place, 1),), []
    lots, held, held_cost = 0, 0, 0
    for quantity, cost, _ in levels:
        if held:
            used = min(lot - held, quantity)
            held, held_cost, quantity = held + used, held_cost + used * cost, quantity - used  # noqa: PLW2901
            if held < lot:
                continue
            found.append(Run(lot, held_cost, 1, parts))
            lots, held, held_cost = lots + 1, 0, 0
        whole = min(quantity // lot, most - lots)
        if whole > 0:
            found.append(Run(lot, cost * lot, whole, parts))
        lots, held = lots + whole, quantity % lot
        held_cost = held * cost
        if lots >= most:
            break
    return tuple(found)
