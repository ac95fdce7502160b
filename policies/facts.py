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

from policies.exactness import EXACT, Figure, known_price
from policies.exposures import Exposure
from policies.gathering import (
    account_facts,
    activity_facts,
    exposure_facts,
    instrument_facts,
    market_facts,
    pattern_facts,
    price_facts,
    worth_facts,
)
from policies.signers import signers_besides
from when_to_invest.breakers import TradingState
from when_to_invest.holdings import ZERO
from when_to_invest.instruments import Instrument
from when_to_invest.intents import ChainIntent, OrderIntent
from when_to_invest.market import ReferencePrice
from when_to_invest.money import PositiveDecimal
from when_to_invest.portfolio import AccountBook
from when_to_invest.values import DecisionId, Instant, Mode, Name
from when_to_invest.venue_status import TradingStatus
from when_to_invest.written import WrittenOnce


class Facts(WrittenOnce):
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
    """Sealed in the last 24 hours, all accounts, besides: what has traded of it and what still may."""

    net_exposure_usd: Figure | None = None
    """Sum of the exposures' `net_usd`; None when one of them has no usable price."""

    own_unsigned_24h_usd: Figure = ZERO
    """Of this instrument and side, sealed earlier within 24 hours, signed by nobody."""
    own_undersigned_24h_usd: Figure = ZERO
    """The same, signed by fewer than two."""
    all_unsigned_24h_usd: Figure = ZERO
    """Of every instrument, side and account, sealed earlier within 24 hours, signed by nobody."""
    all_undersigned_24h_usd: Figure = ZERO
    """The same, signed by fewer than two."""
    repeated_last_hour: int = 0
    """Orders of this instrument and side, sealed earlier within an hour and since people re-enabled it."""
    lowest_own_sell_usd: Figure | None = None
    """The lowest limit of our other open sells of the instrument at the venue; None without one."""
    highest_own_buy_usd: Figure | None = None
    """The highest limit of our other open buys of the instrument at the venue; None without one."""

    equity_usd: Figure | None = None
    """The account's cash and holdings at independent prices; None when something has no price."""
    equity_price_at: Instant | None = None
    """When the oldest price in `equity_usd` was known; None when nothing is held."""
    equity_marked_at: Instant | None = None
    """When the account was last marked; None when nothing is held."""
    day_start_equity_usd: Figure | None = None
    """Its worth when the UTC day began; None when it was never funded."""
    peak_equity_usd: Figure | None = None
    """Its highest worth since people last resumed it, money put in included."""

    venue_status: TradingStatus | None = None
    """What the venue last reported to the journal; None when it was never anything but open."""
    session_fall_ratio: Figure | None = None
    """How far the newest session fell below the close before; None when that is unknown."""
    session_rise_ratio: Figure | None = None
    price_band_ratio: Figure | None = None
    """How far the session may move either way."""
    market_fall_ratio: Figure | None = None
    """The fall of the whole market's newest session; None when no index tells of it."""
    market_growth: Figure | None = None
    """How much wilder than a stock index the instrument is; 1 on exchanges."""
    last_print_usd: Figure | None = None
    """Our newest trade of the last 24 hours in the instrument at the venue; None without one."""
    print_outside_ratio: Figure | None = None
    """How far it lies outside the session's range, of the reference price."""

    proposed_at: Instant | None = None
    """When the proposal reached the journal; `now` when it has not yet."""
    messages_last_minute: int = 0
    """The proposer's proposals for its account, venue and instrument, and everybody's sealed orders."""
    messages_last_hour: int = 0
    proposer_messages_last_minute: int = 0
    proposer_messages_last_hour: int = 0
    duplicate_at: Instant | None = None
    unresolved_orders: int = 0
    queued_at_venue: int = 0
    """Sealed for the intent's venue, all accounts, besides, and neither taken up nor over."""

    def exposure_of(self, instrument: str) -> Decimal | None:
        """Return an instrument's worst-case exposure in USD besides; None when unpriceable."""
        for exposure in self.exposures:
            if exposure.instrument == instrument:
                return exposure.notional_usd
        return ZERO

    def net_of(self, instrument: str) -> Decimal | None:
        """Return an instrument's net exposure in USD besides; None when unpriceable."""
        for exposure in self.exposures:
            if exposure.instrument == instrument:
                return exposure.net_usd
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
    index: ReferencePrice | None = None,
    is_sealed: bool = False,
) -> Facts:
    """Return the facts of `intent` on the caller's own book and prices.

    `marks` prices every other instrument in `exposures.instruments_to_mark(book)`;
    `index` is the market's (`turbulence.market_index`), `approvers` are names whose signatures were verified;
    `is_sealed`: the judged envelope is in the book, and what was sealed after it does not count.

    Raises:
        pydantic.ValidationError: the book holds what is no number, or `now` has no zone.
    """
    known: dict[str, Any] = {"decision_id": decision_id, "now": now, "mode": mode}
    known |= {"recommendation_expires_at": recommendation_expires_at, "trading_state": TradingState.HALTED}
    if not isinstance(intent, OrderIntent):
        return Facts(**known, approvers=signers_besides(approvers, {intent.proposer}))
    with localcontext(EXACT):
        price = known_price(reference)
        known |= instrument_facts(intent, instrument) | price_facts(intent, price)
        known |= account_facts(intent, book, decision_id)
        known |= exposure_facts(intent, book, decision_id, price, marks)
        known |= activity_facts(intent, book, decision_id, now, approvers, is_sealed=is_sealed)
        known |= pattern_facts(intent, book, decision_id, now, is_sealed=is_sealed)
        known |= market_facts(intent, book, price, index, now)
        known |= worth_facts(intent, book, price, marks, now)
        return Facts(**known)
