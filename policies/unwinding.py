"""How much of a position a loss breaker sells next, and in which piece. Stage: before the gate. Pure.

What comes out is only proposed: whether it may be sold, and whether people must sign, the
gate decides on its own facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final

from policies.exactness import EXACT
from policies.limits import Limits
from policies.splitting import measure_parts
from when_to_invest.holdings import ZERO
from when_to_invest.instruments import Instrument
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.money import floor_to_step
from when_to_invest.portfolio import AccountBook

_CRUMB: Final = 10
"""What is left without a signature is not used for less than this part of what one order may be."""


@dataclass(frozen=True, slots=True)
class Sale:
    """What is still to be sold of an instrument, in base units, and its price in USD for every limit."""

    instrument: Instrument
    due: Decimal
    worst_price_usd: Decimal


def due_quantity(
    draft: OrderIntent,
    *,
    book: AccountBook,
    share: Decimal,
    sold: Decimal,
    opened: Decimal,
    waiting: Decimal,
) -> Decimal:
    """Return base units of the draft's instrument still to be proposed; zero or less for none.

    Of what was held before this trip's own sales, `share` (of 1) is to go. `sold`, `opened` and
    `waiting` are its pieces that traded, that still may, and that wait for people.

    # INVARIANT: never more than is held and neither promised by any open sale nor waiting.
    """
    with localcontext(EXACT):
        held = book.position(draft.account, draft.instrument).quantity
        promised = sum(
            (
                item.quantity_open
                for item in book.reservations.values()
                if (item.account, item.instrument, item.side) == (draft.account, draft.instrument, Side.SELL)
            ),
            ZERO,
        )
        target = (held + sold) * share
        return min(target - sold - opened - waiting, held - promised - waiting)


def piece_quantity(
    draft: OrderIntent, sale: Sale, *, book: AccountBook, limits: Limits, now: datetime
) -> Decimal:
    """Return the next piece in whole lots: as much as nobody needs to sign, else the largest order.

    Zero when what is due is less than a lot, or than the smallest order.
    """
    lot, price_usd = sale.instrument.lot_size, sale.worst_price_usd
    with localcontext(EXACT):
        unsigned = floor_to_step(max(_unsigned_room_usd(draft, book, limits, now), ZERO) / price_usd, lot)
        largest = min(limits.max_order_notional_usd / price_usd, limits.max_order_quantity)
        smallest = max(lot, sale.instrument.min_notional_usd / draft.limit_price_usd)
        crumb = max(smallest, min(sale.due, limits.approval_notional_usd / _CRUMB / price_usd))
        piece = floor_to_step(min(sale.due, unsigned if unsigned >= crumb else largest), lot)
        return piece if piece >= smallest else ZERO


def _unsigned_room_usd(draft: OrderIntent, book: AccountBook, limits: Limits, now: datetime) -> Decimal:
    """Return how much may be sold now without a signature, by every threshold of the day."""
    parts = measure_parts(draft, book=book, decision_id="", now=now, is_sealed=False)
    return min(
        limits.approval_notional_usd,
        limits.approval_notional_usd - parts.own_unsigned_usd,
        limits.second_approval_notional_usd - parts.own_undersigned_usd,
        limits.approval_total_24h_usd - parts.all_unsigned_usd,
        limits.second_approval_total_24h_usd - parts.all_undersigned_usd,
    )
