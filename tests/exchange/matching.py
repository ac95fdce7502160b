"""The exchange itself: accepts, matches, settles and cancels, and tells its listeners.

Pure but for its listeners: the clock is an argument, ids count up, the same calls give the
same trades. It speaks no protocol; the dialects word what it does.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import count

from tests.exchange.book import Book
from tests.exchange.crossing import Match, is_crossing, matches_of, quantity_for
from tests.exchange.terms import (
    ZERO,
    Ask,
    BalanceMoved,
    Depth,
    DepthMoved,
    FeeSchedule,
    Fill,
    Force,
    Happening,
    Listing,
    Order,
    OrderTurned,
    RefusedError,
    Side,
    State,
    Trade,
    Turn,
    Why,
)
from tests.exchange.vault import HOUSE, Vault

CUTS_REST = (Force.IMMEDIATE_OR_CANCEL, Force.FILL_OR_KILL)


class Exchange:
    """Books, orders, holdings and trades of one venue."""

    def __init__(
        self, listings: Iterable[Listing], *, now_ms: Callable[[], int], fees: FeeSchedule | None = None
    ) -> None:
        self.listings = {listing.symbol: listing for listing in listings}
        self.fees = fees or FeeSchedule()
        self.now_ms = now_ms
        self.vault = Vault()
        self.orders: dict[int, Order] = {}
        self.fills: defaultdict[str, list[Fill]] = defaultdict(list)
        self.trades: dict[str, list[Trade]] = {symbol: [] for symbol in self.listings}
        self.listeners: list[Callable[[Happening], None]] = []
        self._books = {symbol: Book() for symbol in self.listings}
        self._by_client: dict[tuple[str, str], int] = {}
        self._live: defaultdict[str, dict[int, Order]] = defaultdict(dict)
        self._order_ids, self._trade_ids = count(1001), count(1)
        self._moved: defaultdict[str, set[str]] = defaultdict(set)

    def listing(self, symbol: str) -> Listing:
        """Return what is listed under a symbol; RefusedError when nothing is."""
        try:
            return self.listings[symbol]
        except KeyError:
            raise RefusedError(Why.UNKNOWN_SYMBOL) from None

    def place(self, ask: Ask) -> Order:
        """Accept an order, match it, and return how it stands; RefusedError leaves everything as it was."""
        listing = self.listing(ask.symbol)
        order = self._admitted(ask, listing)
        self._tell_turn(order, Turn.ACCEPTED)
        self._match(order)
        self._settle_rest(order)
        self._finish(ask.symbol)
        return copy.copy(order)

    def cancel(self, account: str, order_id: int) -> Order:
        """Cancel what is left of a live order; RefusedError when it is unknown or done."""
        order = self.order(account, order_id=order_id, is_own=True)
        if not order.state.is_live:
            raise RefusedError(Why.NOT_LIVE)
        self._leave(order, State.CANCELLED, Turn.CANCELLED)
        self._finish(order.ask.symbol)
        return copy.copy(order)

    def order(
        self,
        account: str,
        *,
        order_id: int | None = None,
        client_id: str | None = None,
        is_own: bool = False,
    ) -> Order:
        """Return an account's order by either id (the newest of that client id); RefusedError if unknown.

        A copy, unless `is_own` asks for the exchange's own record.
        """
        found = order_id if order_id is not None else self._by_client.get((account, client_id or ""))
        order = self.orders.get(found) if found is not None else None
        if order is None or order.ask.account != account:
            raise RefusedError(Why.UNKNOWN_ORDER)
        return order if is_own else copy.copy(order)

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        mine = self._live[account].values()
        return [copy.copy(order) for order in mine if symbol in (None, order.ask.symbol)]

    def done_orders(self, account: str) -> list[Order]:
        """Return every order of the account that is no longer live, oldest first."""
        mine = (order for order in self.orders.values() if order.ask.account == account)
        return [copy.copy(order) for order in mine if not order.state.is_live]

    def depth(self, symbol: str, most: int = 5000) -> Depth:
        self.listing(symbol)
        book = self._books[symbol]
        return Depth(book.sequence, book.side(Side.BUY).depth(most), book.side(Side.SELL).depth(most))

    def quantity_for(self, symbol: str, side: Side, cost: Decimal) -> Decimal:
        """Return how many lots an amount of the quote asset buys or sells in the book as it stands."""
        return quantity_for(self._books[symbol], side, cost, lot=self.listing(symbol).lot)

    def _admitted(self, ask: Ask, listing: Listing) -> Order:
        price = ask.price if ask.price is not None else self._market_price(ask, listing)
        listing.check(price, ask.quantity, is_unfiltered=ask.is_unfiltered)
        self._refuse_duplicate(ask)
        meets = matches_of(self._books[ask.symbol], ask)
        if ask.force is Force.POST_ONLY and meets:
            raise RefusedError(Why.WOULD_TAKE)
        order_id, now = next(self._order_ids), self.now_ms()
        order = Order(order_id, ask, ask.client_id or f"auto-{order_id}", now, now)
        self._reserve(order, meets, listing)
        self.orders[order_id] = order
        self._by_client[ask.account, order.client_id] = order_id
        self._live[ask.account][order_id] = order
        return order

    def _market_price(self, ask: Ask, listing: Listing) -> Decimal:
        best = self._books[ask.symbol].side(ask.side.other).best()
        if best is None:
            raise RefusedError(Why.NO_LIQUIDITY)
        return best

    def _refuse_duplicate(self, ask: Ask) -> None:
        """A client id is taken while the order that bears it is live."""
        earlier = self._by_client.get((ask.account, ask.client_id or ""))
        if earlier is not None and self.orders[earlier].state.is_live:
            raise RefusedError(Why.DUPLICATE)

    def _reserve(self, order: Order, meets: list[Match], listing: Listing) -> None:
        """Hold what the order may cost: at its limit, or for a market order what it meets."""
        ask = order.ask
        if ask.side is Side.SELL:
            order.hold_per_unit, order.held = Decimal(1), ask.quantity
        else:
            reserve = 1 + self.fees.buyer_reserve_ratio
            if ask.price is not None:
                order.hold_per_unit = ask.price * reserve
                order.held = ask.quantity * order.hold_per_unit
            else:
                order.held = sum((m.price * m.quantity * reserve for m in meets), ZERO)
        self.vault.hold(ask.account, _paid_asset(ask.side, listing), order.held)
        self._note(ask)

    def _match(self, order: Order) -> None:
        meets = matches_of(self._books[order.ask.symbol], order.ask)
        if (
            order.ask.force is Force.FILL_OR_KILL
            and sum((m.quantity for m in meets), ZERO) < order.ask.quantity
        ):
            return
        for match in meets:
            if match.quantity:
                self._trade(order, match)
            else:
                self._leave(match.maker, State.EXPIRED, Turn.EXPIRED)

    def _trade(self, taker: Order, match: Match) -> None:
        ask, now = taker.ask, self.now_ms()
        trade = Trade(next(self._trade_ids), ask.symbol, match.price, match.quantity, ask.side, now)
        self.trades[ask.symbol].append(trade)
        book = self._books[ask.symbol]
        sides = [self._filled(order, trade) for order in (match.maker, taker)]
        buyer, seller = (match.maker, taker) if ask.side is Side.SELL else (taker, match.maker)
        self._exchange(buyer, seller, trade)
        book.touch(match.maker.ask.side, match.price)
        if match.maker.state is State.FILLED:
            book.remove(match.maker, match.price)
        for order, fill in zip((match.maker, taker), sides, strict=True):
            self.vault.pay(order.ask.account, HOUSE, fill.fee_asset, fill.fee)
            self.fills[order.ask.account].append(fill)
            self._tell_turn(order, Turn.TRADED, fill)
        self._tell(trade)

    def _filled(self, order: Order, trade: Trade) -> Fill:
        """Count a trade on one order, free its hold, and return its side of the trade."""
        is_maker, listing = order.ask.side is not trade.taker_side, self.listings[trade.symbol]
        cost = trade.price * trade.quantity
        is_fee_in_quote = self.fees.is_in_quote or order.ask.side is Side.SELL
        fee = self.fees.fee(cost if is_fee_in_quote else trade.quantity, is_maker=is_maker)
        order.filled += trade.quantity
        order.cost += cost
        order.fees += fee
        order.updated_ms = trade.time_ms
        order.state = State.PARTLY_FILLED if order.open_quantity else State.FILLED
        self._release(order, self._hold_of(order, trade))
        if not order.state.is_live:
            del self._live[order.ask.account][order.id]
        asset = listing.quote if is_fee_in_quote else listing.base
        return Fill(trade, order.id, order.client_id, order.ask.account, order.ask.side, is_maker, fee, asset)

    def _hold_of(self, order: Order, trade: Trade) -> Decimal:
        if order.hold_per_unit:
            return order.hold_per_unit * trade.quantity
        return trade.price * trade.quantity * (1 + self.fees.buyer_reserve_ratio)

    def _exchange(self, buyer: Order, seller: Order, trade: Trade) -> None:
        listing = self.listings[trade.symbol]
        payer, payee = buyer.ask.account, seller.ask.account
        self.vault.pay(payer, payee, listing.quote, trade.price * trade.quantity)
        self.vault.pay(payee, payer, listing.base, trade.quantity)

    def _settle_rest(self, order: Order) -> None:
        """Let what did not trade rest in the book, or expire."""
        ask = order.ask
        if not order.state.is_live:
            return
        if ask.price is None or ask.force in CUTS_REST or is_crossing(self._books[ask.symbol], ask):
            self._leave(order, State.EXPIRED, Turn.EXPIRED)
        else:
            self._books[ask.symbol].add(order, ask.price)

    def _leave(self, order: Order, state: State, turn: Turn) -> None:
        """Take an order out of the market and free what it held."""
        book = self._books[order.ask.symbol]
        if order.ask.price is not None and book.side(order.ask.side).has(order, order.ask.price):
            book.remove(order, order.ask.price)
        order.state, order.updated_ms = state, self.now_ms()
        del self._live[order.ask.account][order.id]
        self._release(order, order.held)
        self._tell_turn(order, turn)

    def _release(self, order: Order, amount: Decimal) -> None:
        order.held -= amount
        asset = _paid_asset(order.ask.side, self.listings[order.ask.symbol])
        self.vault.release(order.ask.account, asset, amount)
        self._note(order.ask)

    def _note(self, ask: Ask) -> None:
        listing = self.listings[ask.symbol]
        self._moved[ask.account] |= {listing.base, listing.quote}

    def _finish(self, symbol: str) -> None:
        """Tell what one call changed in the book and in the holdings."""
        book = self._books[symbol]
        changes = book.changes()
        if changes:
            self._tell(DepthMoved(symbol, book.sequence, *changes))
        moved, self._moved = self._moved, defaultdict(set)
        for account, assets in moved.items():
            self._tell(BalanceMoved(account, frozenset(assets)))

    def _tell_turn(self, order: Order, turn: Turn, fill: Fill | None = None) -> None:
        self._tell(OrderTurned(replace(order), turn, fill))

    def _tell(self, happening: Happening) -> None:
        for listener in self.listeners:
            listener(happening)


def _paid_asset(side: Side, listing: Listing) -> str:
    return listing.quote if side is Side.BUY else listing.base
