"""Worst-case exposure of everything held and reserved, per instrument. Stage: gate.

Every reserved buy counts as filled and no reserved sell does. A holding without a usable
price makes the total unknown, never smaller.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal

from policies.exactness import Figure
from when_to_invest.holdings import ZERO
from when_to_invest.instruments import InstrumentId
from when_to_invest.intents import Side
from when_to_invest.portfolio import AccountBook, Reservation
from when_to_invest.values import Value


class Exposure(Value):
    """One instrument over all accounts: base units, USD; `notional_usd` None if unpriceable."""

    instrument: InstrumentId
    quantity: Figure
    notional_usd: Figure | None
    net_usd: Figure | None = None
    """Longs less shorts, signed, if every open buy filled; None if unpriceable."""


def instruments_to_mark(book: AccountBook) -> frozenset[str]:
    """Return the instruments whose prices `gather_facts` needs as marks."""
    held = {name for (_, name), position in book.positions.items() if position.quantity}
    return frozenset(held | {item.instrument for item in book.reservations.values()})


def measure_exposures(
    book: AccountBook, *, prices: Mapping[str, Decimal], besides: str
) -> tuple[Exposure, ...]:
    """Return worst-case exposures by instrument, leaving out the decision `besides`."""
    quantities: dict[str, Decimal] = defaultdict(Decimal)
    extra_usd: dict[str, Decimal] = defaultdict(Decimal)
    shorts: dict[str, Decimal] = defaultdict(Decimal)
    for (_, name), position in book.positions.items():
        quantities[name] += abs(position.quantity)
        shorts[name] += max(-position.quantity, ZERO)
    for reservation in reservations_besides(book, besides):
        if reservation.side is Side.BUY:
            name = reservation.instrument
            quantities[name] += reservation.quantity_open
            worst_usd = reservation.worst_price_usd
            if worst_usd > (mark_usd := prices.get(name, worst_usd)):
                extra_usd[name] += (worst_usd - mark_usd) * reservation.quantity_open
    return tuple(
        Exposure(
            instrument=name,
            quantity=quantity,
            notional_usd=quantity * prices[name] + extra_usd[name] if name in prices else None,
            net_usd=(quantity - 2 * shorts[name]) * prices[name] + extra_usd[name]
            if name in prices
            else None,
        )
        for name, quantity in sorted(quantities.items())
        if quantity
    )


def open_orders_usd(book: AccountBook, *, prices: Mapping[str, Decimal], besides: str) -> Decimal | None:
    """Return what all open orders may trade at the worse of limit and mark; None if unpriceable."""
    total_usd = ZERO
    for reservation in reservations_besides(book, besides):
        if reservation.instrument not in prices:
            return None
        worst_usd = max(reservation.worst_price_usd, prices[reservation.instrument])
        total_usd += worst_usd * reservation.quantity_open
    return total_usd


def reservations_besides(book: AccountBook, decision_id: str) -> Collection[Reservation]:
    """Return every reservation but that of `decision_id`, which is being judged itself."""
    if decision_id not in book.reservations:
        return book.reservations.values()
    return [reservation for owner, reservation in book.reservations.items() if owner != decision_id]
