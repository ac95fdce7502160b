"""Exchanges ready for use: what is listed, who may trade, what they own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from tests.exchange.matching import Exchange
from tests.exchange.terms import Ask, FeeSchedule, Force, Listing, Order, Side

BTC = Listing("BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5))
ETH = Listing("ETH", "USDT", Decimal("0.01"), Decimal("0.0001"), Decimal(5))
BTC_USD = Listing("BTC", "USD", Decimal("0.1"), Decimal("0.0000001"), Decimal("0.5"))
ETH_USD = Listing("ETH", "USD", Decimal("0.01"), Decimal("0.000001"), Decimal("0.5"))
COINBASE_BTC_USD = Listing("BTC", "USD", Decimal("0.01"), Decimal("0.000001"), Decimal(1))
COINBASE_ETH_USD = Listing("ETH", "USD", Decimal("0.01"), Decimal("0.000001"), Decimal(1))
TRADER, CROWD = "trader", "crowd"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs requests; the secret is base64 for Kraken, any text elsewhere."""

    key: str = "local-key"
    secret: str = "bG9jYWwtc2VjcmV0"  # noqa: S105 - known to the local exchange alone


def stocked(*listings: Listing, now_ms: Callable[[], int], fees: FeeSchedule | None = None) -> Exchange:
    """Return an exchange where the trader can afford some and the crowd anything."""
    exchange = Exchange(listings, now_ms=now_ms, fees=fees)
    for asset in sorted({a for listing in listings for a in (listing.base, listing.quote)}):
        exchange.vault.deposit(TRADER, asset, Decimal(100_000))
        exchange.vault.deposit(CROWD, asset, Decimal(10**9))
    return exchange


def offer(exchange: Exchange, symbol: str, side: Side, *, price: str, quantity: str) -> Order:
    """Let the crowd place a limit order."""
    return exchange.place(
        Ask(CROWD, symbol, side, Decimal(quantity), Decimal(price), Force.GOOD_TILL_CANCELLED)
    )


def quote_both_sides(exchange: Exchange, symbol: str, *, middle: str = "100.00") -> None:
    """Let the crowd offer two levels on both sides, half and one above and below the middle."""
    for away, quantity in (("0.5", "1"), ("1.0", "2")):
        for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
            price = Decimal(middle) + sign * Decimal(away)
            offer(exchange, symbol, side, price=str(price), quantity=quantity)
