"""What a venue answered, checked and put in the executor's words: orders, trades, holdings, quotes.

Stage: venue → executor. Whatever cannot be true is `venue_contradicted`; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from executor.venues.ccxt.amounts import Told, amount, contradicted, exact, positive, text
from executor.venues.ccxt.terms import Terms
from executor.venues.port import OrderRef, Trade, VenueOrder, VenueStatus
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.quotes import Quote

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATUSES: Final = MappingProxyType(
    {
        "open": VenueStatus.WORKING,
        "canceling": VenueStatus.WORKING,
        # Handed through as the venue spells them.
        **dict.fromkeys(
            ("PENDING_NEW", "PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED"), VenueStatus.WORKING
        ),
        "canceled": VenueStatus.CANCELLED,
        "expired": VenueStatus.EXPIRED,
        "rejected": VenueStatus.REJECTED,
    }
)


def instant(told: Told, *, about: str) -> datetime:
    """Return when something happened, from its milliseconds since 1970 UTC.

    Raises:
        Fault: `venue_contradicted` when there are none.
    """
    value = exact(told.get("timestamp"))
    if value is None or not value.is_finite() or value <= 0:
        raise contradicted(about, f"its time is {told.get('timestamp')!r}"[:120])
    return _EPOCH + timedelta(milliseconds=int(value))


def order_of(told: Told, *, client_order_id: str, instrument: str) -> VenueOrder:
    """Return an order as the venue tells it.

    Raises:
        Fault: `venue_contradicted` when it has no id, an unknown status, or executed what it cannot have.
    """
    about = f"order {client_order_id or text(told, 'id')}"
    venue_order_id = text(told, "id")
    if not venue_order_id:
        raise contradicted(about, "it has no id")
    size, filled = positive(told, "amount", about=about), amount(told, "filled", about=about)
    if filled > size:
        raise contradicted(about, f"{filled} of {size} are executed")
    status = _status(told, filled=filled, size=size, about=about)
    return VenueOrder(client_order_id, venue_order_id, status, filled, instrument)


def _status(told: Told, *, filled: Decimal, size: Decimal, about: str) -> VenueStatus:
    """What is closed short of its size ended without the rest; what is open is not executed in full."""
    word = text(told, "status")
    if word == "closed":
        return VenueStatus.FILLED if filled == size else VenueStatus.CANCELLED
    status = _STATUSES.get(word)
    if status is None:
        raise contradicted(about, f"its status is {word!r}"[:120])
    if status is VenueStatus.REJECTED and filled > 0:
        raise contradicted(about, f"it was rejected, and {filled} of it executed")
    return status


def trades_of(
    told: Iterable[Told], *, order: OrderRef, terms: Terms, prices_usd: Mapping[str, Decimal]
) -> tuple[Trade, ...]:
    """Return one order's trades, oldest first, each once however often pages repeat it.

    `prices_usd`: what other assets are worth that fees were taken in.

    Raises:
        Fault: `venue_contradicted` when one makes no sense, or two of one id differ.
    """
    known: dict[str, Trade] = {}
    for one in told:
        trade = _trade_of(one, order=order, terms=terms, prices_usd=prices_usd)
        if known.setdefault(trade.trade_id, trade) != trade:
            about = f"order {order.client_order_id}"
            raise contradicted(about, f"trade {trade.trade_id} is told in two ways")
    return tuple(sorted(known.values(), key=lambda trade: (trade.executed_at, trade.trade_id)))


def other_fee_assets(told: Iterable[Told], terms: Terms) -> frozenset[str]:
    """Return in what fees were taken that is neither side of the pair."""
    fees = [fee for one in told if isinstance(fee := one.get("fee"), Mapping) and exact(fee.get("cost"))]
    return frozenset(text(fee, "currency") for fee in fees) - {"", terms.base, terms.quote}


def _trade_of(told: Told, *, order: OrderRef, terms: Terms, prices_usd: Mapping[str, Decimal]) -> Trade:
    trade_id, about = text(told, "id"), f"a trade of order {order.client_order_id}"
    if not trade_id:
        raise contradicted(about, "it has no id")
    if text(told, "order") != order.venue_order_id:
        raise contradicted(about, f"trade {trade_id} is of another order")
    if text(told, "symbol") != terms.symbol:
        raise contradicted(about, f"trade {trade_id} is of another instrument")
    quantity, price = positive(told, "amount", about=about), positive(told, "price", about=about)
    fee_usd, charge = terms.fee(
        told.get("fee"), price_usd=price, about=f"trade {trade_id}", prices_usd=prices_usd
    )
    at = instant(told, about=about)
    return Trade(trade_id, order.client_order_id, quantity, price, fee_usd, at, charge)


def traded_since(told: Iterable[Told], since: datetime, *, is_complete: bool) -> Decimal | None:
    """Return what public trades from `since` on add up to, in base units; none where they begin later.

    Raises:
        Fault: `venue_contradicted` for a trade that makes no sense.
    """
    about = "a public trade"
    trades = [(instant(one, about=about), positive(one, "amount", about=about)) for one in told]
    if not is_complete and all(at >= since for at, _ in trades):
        return None
    return sum((quantity for at, quantity in trades if at >= since), Decimal(0))


def holdings_of(told: Told) -> dict[str, Decimal]:
    """Return asset to units, what orders have locked included; nothing of what there is none.

    Raises:
        Fault: `venue_contradicted` for an amount that makes no sense.
    """
    totals = told.get("total")
    if not isinstance(totals, Mapping):
        raise contradicted("the balances", "there are no totals")
    held = {asset: amount(totals, asset, about=f"the balance of {asset}") for asset in totals}
    return {asset: units for asset, units in held.items() if units > 0}


def quote_of(told: Told, *, instrument: str, at: datetime) -> Quote | None:
    """Return the best prices with their depth; none where one side of the book is empty.

    Raises:
        Fault: `venue_contradicted` for a level that is none; `venue_unavailable` for a crossed book.
    """
    about = f"the book of {instrument}"
    # ccxt sorts prices as the text they are handed through as.
    bids = tuple(sorted(_levels(told.get("bids"), about=about), reverse=True))
    asks = tuple(sorted(_levels(told.get("asks"), about=about)))
    if not bids or not asks:
        return None
    stamped = exact(told.get("timestamp"))
    known_at = at if stamped is None else _EPOCH + timedelta(milliseconds=int(stamped))
    try:
        return Quote(instrument, known_at, *bids[0], *asks[0], bids=bids, asks=asks)
    except Fault as fault:
        raise Fault(ErrorCode.VENUE_UNAVAILABLE, fault.message, fix=fault.fix) from fault


def _levels(told: object, *, about: str) -> tuple[tuple[Decimal, Decimal], ...]:
    if not isinstance(told, Sequence):
        raise contradicted(about, "it has no levels")
    levels = []
    for level in told:
        price, quantity = (exact(part) for part in level[:2])
        if price is None or quantity is None:
            raise contradicted(about, f"a level is {level!r}"[:120])
        levels.append((price, quantity))
    return tuple(levels)
