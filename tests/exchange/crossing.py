"""What an order would meet in a book as it stands. Pure; it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from tests.exchange.book import Book
from tests.exchange.terms import ZERO, Ask, Order, SelfTrade, Side


@dataclass(frozen=True, slots=True)
class Match:
    """A resting order that an incoming one meets, and how much trades (0: the resting one expires)."""

    price: Decimal
    maker: Order
    quantity: Decimal


def matches_of(book: Book, ask: Ask) -> list[Match]:
    """Return what an order would trade with now, in price-time priority."""
    matches, left = [], ask.quantity
    for price, maker in book.side(ask.side.other).reachable(ask.price):
        is_own = maker.ask.account == ask.account
        if is_own and ask.self_trade is SelfTrade.EXPIRE_TAKER:
            break
        is_expiring = is_own and ask.self_trade is SelfTrade.EXPIRE_MAKER
        quantity = ZERO if is_expiring else min(left, maker.open_quantity)
        matches.append(Match(price, maker, quantity))
        left -= quantity
        if not left:
            break
    return matches


def is_crossing(book: Book, ask: Ask) -> bool:
    """Whether an order with a limit could trade with the best of the other side."""
    best = book.side(ask.side.other).best()
    if best is None or ask.price is None:
        return False
    return best <= ask.price if ask.side is Side.BUY else best >= ask.price


def quantity_for(book: Book, side: Side, cost: Decimal, *, lot: Decimal) -> Decimal:
    """Return how many whole lots an amount of the quote asset buys or sells, as a quantity."""
    spent = quantity = ZERO
    for price, maker in book.side(side.other).reachable(None):
        takes = min(maker.open_quantity, (cost - spent) / price)
        quantity, spent = quantity + takes, spent + takes * price
        if spent >= cost:
            break
    return (quantity / lot).to_integral_value(ROUND_DOWN) * lot
