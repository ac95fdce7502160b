"""Everything the rules may look at, as one value that can be judged again later.

Stage: gate. `gather_facts` turns the account book, prices and verified approvals into
`Facts`; it reads nothing itself. What is not known stands as None, and None refuses.

# INVARIANT: every figure leans towards refusal: reservations and orders of unknown outcome
# count as filled, buys that may fill add, sells that may fill do not take away.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from policies.activity import measure_activity, turnover_24h_usd
from policies.exactness import EXACT, Figure, usable_price
from policies.exposures import Exposure, measure_exposures, open_orders_usd, reservations_besides
from when_to_invest.breakers import TradingState
from when_to_invest.instruments import Instrument
from when_to_invest.intents import ChainIntent, OrderIntent, Side
from when_to_invest.market import ReferencePrice
from when_to_invest.money import PositiveDecimal
from when_to_invest.portfolio import ZERO, AccountBook
from when_to_invest.values import DecisionId, Instant, Mode, Name, Value


class Facts(Value):
    """What was known of one intent when it was judged; amounts exact, exposures worst-case.

    "Besides" means without the decision that is judged: it may have reserved already.
    """

    decision_id: DecisionId
    now: Instant
    mode: Mode
    """Of the process that judges."""
    trading_state: TradingState
    approvers: tuple[Name, ...] = ()
    """Who has signed, verified; never the proposer."""
    recommendation_expires_at: Instant | None = None

    is_tradable: bool | None = None
    lot_size: PositiveDecimal | None = None
    tick_size_usd: PositiveDecimal | None = None
    min_notional_usd: PositiveDecimal | None = None

    reference_price_usd: Figure | None = None
    reference_known_at: Instant | None = None
    reference_source: str | None = None

    worst_price_usd: Figure | None = None
    """The higher of limit price and reference."""
    notional_usd: Figure | None = None
    """Quantity at the worst price."""
    cost_usd: Figure | None = None
    """Quantity at the limit price, without fees."""

    cash_usd: Figure | None = None
    """Of the intent's account; None when it was never funded."""
    reserved_buys_usd: Figure = ZERO
    """What the account's other open buys may still cost, without fees."""
    held_quantity: Figure = ZERO
    """Of the intent's account and instrument."""
    reserved_sells_quantity: Figure = ZERO
    """What the account's other open sells of the instrument may still deliver."""

    exposures: tuple[Exposure, ...] = ()
    """All accounts, besides; this instrument at the worst price, others at their marks."""
    gross_exposure_usd: Figure | None = None
    """Sum of `exposures`; None when one of them has no usable price."""
    oldest_mark_at: Instant | None = None
    """When the oldest price in `exposures` was known; None when there is no other holding."""
    open_orders_usd: Figure | None = None
    """All accounts' open orders, besides, at the worse of limit and mark."""
    turnover_24h_usd: Figure = ZERO
    """Sealed in the last 24 hours, all accounts, besides."""

    proposed_at: Instant | None = None
    """When the proposal reached the journal; `now` when it has not yet."""
    messages_last_minute: int = 0
    messages_last_hour: int = 0
    proposer_messages_last_minute: int = 0
    proposer_messages_last_hour: int = 0
    duplicate_at: Instant | None = None
    unresolved_orders: int = 0

    def exposure_of(self, instrument: str) -> Decimal | None:
        """Return an instrument's worst-case exposure in USD besides; None when unpriceable."""
        for exposure in self.exposures:
            if exposure.instrument == instrument:
                return exposure.notional_usd
        return ZERO


def gather_facts(
    intent: OrderIntent | ChainIntent,
    *,
    decision_id: str,
    book: AccountBook,
    instrument: Instrument | None,
    reference: ReferencePrice | None,
    marks: Mapping[str, ReferencePrice],
    approvers: frozenset[str],
    now: datetime,
    mode: Mode,
    recommendation_expires_at: datetime | None = None,
) -> Facts:
    """Return the facts of `intent` on the caller's own book and prices.

    `marks` prices every other instrument in `exposures.instruments_to_mark(book)`;
    `approvers` are names whose signatures were verified (`verify.verified_approvers`).

    Raises:
        pydantic.ValidationError: the book holds what is no number, or `now` has no zone.
    """
    known: dict[str, Any] = {
        "decision_id": decision_id,
        "now": now,
        "mode": mode,
        "recommendation_expires_at": recommendation_expires_at,
        "trading_state": TradingState.HALTED,
        "approvers": tuple(sorted(approvers - {intent.proposer})),
    }
    if isinstance(intent, OrderIntent):
        with localcontext(EXACT):
            price = _known_price(reference)
            known |= _instrument_facts(intent, instrument)
            known |= _price_facts(intent, price)
            known |= _account_facts(intent, book, decision_id)
            known |= _exposure_facts(intent, book, decision_id, price, marks)
            known |= _activity_facts(intent, book, decision_id, now, approvers)
            return Facts(**known)
    return Facts(**known)


def _known_price(reference: ReferencePrice | None) -> ReferencePrice | None:
    """Return the reference when it is usable: positive, finite, dated, with a source."""
    if reference is None or not reference.source or not isinstance(reference.known_at, datetime):
        return None
    price_usd = usable_price(reference.price_usd)
    if price_usd is None or reference.known_at.tzinfo is None:
        return None
    return ReferencePrice(price_usd=price_usd, known_at=reference.known_at, source=reference.source)


def _instrument_facts(intent: OrderIntent, instrument: Instrument | None) -> dict[str, Any]:
    if instrument is None or instrument.id != intent.instrument:
        return {}
    return {
        "is_tradable": instrument.is_tradable,
        "lot_size": instrument.lot_size,
        "tick_size_usd": instrument.tick_size_usd,
        "min_notional_usd": instrument.min_notional_usd,
    }


def _price_facts(intent: OrderIntent, reference: ReferencePrice | None) -> dict[str, Any]:
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


def _account_facts(intent: OrderIntent, book: AccountBook, decision_id: str) -> dict[str, Any]:
    buys_usd = sells = ZERO
    for item in reservations_besides(book, decision_id):
        if item.account == intent.account and item.side is Side.BUY:
            buys_usd += item.notional_usd
        elif item.account == intent.account and item.instrument == intent.instrument:
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
    }


def _exposure_facts(
    intent: OrderIntent,
    book: AccountBook,
    decision_id: str,
    reference: ReferencePrice | None,
    marks: Mapping[str, ReferencePrice],
) -> dict[str, Any]:
    usable = {name: price for name, mark in marks.items() if (price := _known_price(mark)) is not None}
    prices = {name: price.price_usd for name, price in usable.items() if name != intent.instrument}
    if reference is not None:
        prices[intent.instrument] = max(reference.price_usd, intent.limit_price_usd)
    exposures = measure_exposures(book, prices=prices, besides=decision_id)
    others = [item.instrument for item in exposures if item.instrument != intent.instrument]
    amounts = [item.notional_usd for item in exposures if item.notional_usd is not None]
    return {
        "exposures": exposures,
        "gross_exposure_usd": sum(amounts, ZERO) if len(amounts) == len(exposures) else None,
        "oldest_mark_at": min((usable[name].known_at for name in others if name in usable), default=None),
        "open_orders_usd": open_orders_usd(book, prices=prices, besides=decision_id),
    }


def _activity_facts(
    intent: OrderIntent, book: AccountBook, decision_id: str, now: datetime, approvers: frozenset[str]
) -> dict[str, Any]:
    activity = measure_activity(intent, book=book, decision_id=decision_id, now=now)
    return {
        "approvers": tuple(sorted(approvers - {intent.proposer, activity.proposer})),
        "turnover_24h_usd": turnover_24h_usd(book, now=now, besides=decision_id),
        "proposed_at": activity.proposed_at,
        "messages_last_minute": activity.messages_last_minute,
        "messages_last_hour": activity.messages_last_hour,
        "proposer_messages_last_minute": activity.proposer_messages_last_minute,
        "proposer_messages_last_hour": activity.proposer_messages_last_hour,
        "duplicate_at": activity.duplicate_at,
    }
