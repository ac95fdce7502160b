"""The parts of `Facts`, each from its own source: instrument, prices, account, exposure, past.

Stage: gate. Each function returns fields of `Facts` by name; `policies.facts` checks them. It
must never read anything itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from policies.activity import measure_activity, turnover_24h_usd
from policies.exactness import known_price
from policies.exposures import measure_exposures, open_orders_usd, reservations_besides
from policies.signers import signers_besides
from policies.splitting import measure_parts
from policies.turbulence import outside_range_ratio, read_market, read_turbulence
from policies.worth import measure_worth
from when_to_invest.holdings import ZERO
from when_to_invest.instruments import Instrument
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.market import ReferencePrice
from when_to_invest.orders import OrderState
from when_to_invest.portfolio import AccountBook
from when_to_invest.recent import WINDOW


def instrument_facts(intent: OrderIntent, instrument: Instrument | None) -> dict[str, Any]:
    """Return what the instrument can be traded in; nothing when it is another one."""
    if instrument is None or instrument.id != intent.instrument:
        return {}
    return {
        "is_tradable": instrument.is_tradable,
        "lot_size": instrument.lot_size,
        "tick_size_usd": instrument.tick_size_usd,
        "min_notional_usd": instrument.min_notional_usd,
    }


def price_facts(intent: OrderIntent, reference: ReferencePrice | None) -> dict[str, Any]:
    """Return what the order is worth and costs."""
    cost_usd = intent.quantity * intent.limit_price_usd
    if reference is None:
        return {"cost_usd": cost_usd}
    worst_usd = max(intent.limit_price_usd, reference.price_usd)
    return {
        "cost_usd": cost_usd,
        "reference_price_usd": reference.price_usd,
        "reference_known_at": reference.known_at,
        "reference_source": reference.source,
        "worst_price_usd": worst_usd,
        "notional_usd": intent.quantity * worst_usd,
    }


def account_facts(intent: OrderIntent, book: AccountBook, decision_id: str) -> dict[str, Any]:
    """Return the account's cash, holdings, promises and trading state."""
    buys_usd = sells = ZERO
    for item in reservations_besides(book, decision_id):
        if item.account != intent.account:
            continue
        if item.side is Side.BUY:
            buys_usd += item.notional_usd
        elif item.instrument == intent.instrument:
            sells += item.quantity_open
    return {
        "cash_usd": book.cash_usd.get(intent.account),
        "reserved_buys_usd": buys_usd,
        "held_quantity": book.position(intent.account, intent.instrument).quantity,
        "reserved_sells_quantity": sells,
        "trading_state": book.trading_state(
            account=intent.account, venue=intent.venue, instrument=intent.instrument
        ),
        "unresolved_orders": book.unresolved_orders(intent.instrument, besides=decision_id),
        "queued_at_venue": queued_at_venue(intent.venue, book, decision_id),
    }


def queued_at_venue(venue: str, book: AccountBook, decision_id: str) -> int:
    """Count what is sealed for a venue and not taken up, as the journal tells; no queue is asked.

    Taking up and intending to send are one append, so a decision that has an order is taken up,
    until the order is proven absent and the decision waits for another delivery.
    """
    queued, orders_of = 0, book.orders_of
    for owner, item in book.reservations.items():
        if item.venue == venue and owner != decision_id:
            queued += owner not in orders_of or not _is_taken_up(owner, book)
    return queued


def _is_taken_up(decision_id: str, book: AccountBook) -> bool:
    """Whether an order of it was sent and is not proven to have never arrived: then it waits again."""
    for order in book.orders_of[decision_id]:  # noqa: SIM110 - `any` of a generator takes twice as long
        if book.order_states[order] is not OrderState.ABSENT:
            return True
    return False


def exposure_facts(
    intent: OrderIntent,
    book: AccountBook,
    decision_id: str,
    reference: ReferencePrice | None,
    marks: Mapping[str, ReferencePrice],
) -> dict[str, Any]:
    """Return what is held and on order over all accounts, at the worst prices."""
    usable = {name: price for name, mark in marks.items() if (price := known_price(mark)) is not None}
    prices = {name: price.price_usd for name, price in usable.items() if name != intent.instrument}
    if reference is not None:
        prices[intent.instrument] = max(reference.price_usd, intent.limit_price_usd)
    exposures = measure_exposures(book, prices=prices, besides=decision_id)
    nets = [item.net_usd for item in exposures if item.net_usd is not None]
    others = [item.instrument for item in exposures if item.instrument != intent.instrument]
    amounts = [item.notional_usd for item in exposures if item.notional_usd is not None]
    return {
        "exposures": exposures,
        "gross_exposure_usd": sum(amounts, ZERO) if len(amounts) == len(exposures) else None,
        "net_exposure_usd": sum(nets, ZERO) if len(nets) == len(exposures) else None,
        "oldest_mark_at": min((usable[name].known_at for name in others if name in usable), default=None),
        "open_orders_usd": open_orders_usd(book, prices=prices, besides=decision_id),
    }


def activity_facts(
    intent: OrderIntent,
    book: AccountBook,
    decision_id: str,
    now: datetime,
    approvers: frozenset[str],
    *,
    is_sealed: bool,
) -> dict[str, Any]:
    """Return who signed, what was sealed, and how many messages came; `is_sealed` as below."""
    activity = measure_activity(intent, book=book, decision_id=decision_id, now=now, is_sealed=is_sealed)
    return {
        "approvers": signers_besides(approvers, {intent.proposer, activity.proposer}),
        "turnover_24h_usd": turnover_24h_usd(book, now=now, besides=decision_id),
        "proposed_at": activity.proposed_at,
        "messages_last_minute": activity.messages_last_minute,
        "messages_last_hour": activity.messages_last_hour,
        "proposer_messages_last_minute": activity.proposer_messages_last_minute,
        "proposer_messages_last_hour": activity.proposer_messages_last_hour,
        "duplicate_at": activity.duplicate_at,
    }


def pattern_facts(
    intent: OrderIntent, book: AccountBook, decision_id: str, now: datetime, *, is_sealed: bool
) -> dict[str, Any]:
    """Return the orders that this one may be a part of, or would meet.

    `is_sealed`: it is, so a later seal never voids it; else everything sealed besides counts.
    """
    parts = measure_parts(intent, book=book, decision_id=decision_id, now=now, is_sealed=is_sealed)
    here = [
        item
        for item in reservations_besides(book, decision_id)
        if item.instrument == intent.instrument and item.venue == intent.venue
    ]
    sells = [item.worst_price_usd for item in here if item.side is Side.SELL]
    buys = [item.worst_price_usd for item in here if item.side is Side.BUY]
    return {
        "own_unsigned_24h_usd": parts.own_unsigned_usd,
        "own_undersigned_24h_usd": parts.own_undersigned_usd,
        "all_unsigned_24h_usd": parts.all_unsigned_usd,
        "all_undersigned_24h_usd": parts.all_undersigned_usd,
        "repeated_last_hour": parts.repeated,
        "lowest_own_sell_usd": min(sells, default=None),
        "highest_own_buy_usd": max(buys, default=None),
    }


def worth_facts(
    intent: OrderIntent,
    book: AccountBook,
    reference: ReferencePrice | None,
    marks: Mapping[str, ReferencePrice],
    now: datetime,
) -> dict[str, Any]:
    """Return what the account is worth now, and was."""
    prices = {name: price for name, mark in marks.items() if (price := known_price(mark)) is not None}
    prices.pop(intent.instrument, None)
    if reference is not None:
        prices[intent.instrument] = reference
    worth = measure_worth(intent.account, book=book, prices=prices, now=now)
    return {
        "equity_usd": worth.equity_usd,
        "equity_price_at": worth.oldest_price_at,
        "equity_marked_at": worth.marked_at,
        "day_start_equity_usd": worth.day_start_usd,
        "peak_equity_usd": worth.peak_usd,
    }


def market_facts(
    intent: OrderIntent,
    book: AccountBook,
    reference: ReferencePrice | None,
    index: ReferencePrice | None,
    now: datetime,
) -> dict[str, Any]:
    """Return what the venue, the newest session and our last trade say of the market."""
    known: dict[str, Any] = {"venue_status": book.recent.venue_statuses.get(intent.venue)}
    last = book.recent.prints.get((intent.venue, intent.instrument))
    if last is not None and last.at > now - WINDOW:
        known["last_print_usd"] = last.price_usd
    own = read_turbulence(reference)
    if own is None or reference is None:
        return known
    if "last_print_usd" in known and last is not None:
        known["print_outside_ratio"] = outside_range_ratio(last, reference)
    market = read_market(reference, index)
    return known | {
        "session_fall_ratio": own.fall_ratio,
        "session_rise_ratio": own.rise_ratio,
        "price_band_ratio": own.band_ratio,
        "market_fall_ratio": None if market is None else market.fall_ratio,
        "market_growth": own.growth,
    }
