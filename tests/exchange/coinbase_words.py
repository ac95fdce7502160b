"""How Coinbase's Advanced Trade API words orders, fills, products and books in JSON. Pure."""

from __future__ import annotations

import uuid
from decimal import Decimal

from tests.exchange.candles import last_day
from tests.exchange.matching import Exchange
from tests.exchange.terms import (
    ZERO,
    Ask,
    Candle,
    Depth,
    DepthMoved,
    Fill,
    Force,
    Listing,
    Order,
    State,
    Trade,
    instant,
)

Payload = dict[str, object]
STATUS = {
    State.OPEN: "OPEN",
    State.PARTLY_FILLED: "OPEN",
    State.FILLED: "FILLED",
    State.CANCELLED: "CANCELLED",
    State.EXPIRED: "CANCELLED",
}
FORCE = {Force.IMMEDIATE_OR_CANCEL: "IMMEDIATE_OR_CANCEL", Force.FILL_OR_KILL: "FILL_OR_KILL"}
LIMITS = {Force.IMMEDIATE_OR_CANCEL: "sor_limit_ioc", Force.FILL_OR_KILL: "limit_limit_fok"}
DOTTED = ("mid_market_price", "alias", "market_cap", "base_cbrn", "quote_cbrn", "product_cbrn", "icon_color")
EMPTY = (*DOTTED, "icon_url", "display_name_overwrite", "about_description")
OFF = (
    *("watched", "is_disabled", "new", "cancel_only", "limit_only", "post_only", "trading_disabled"),
    *("auction_mode", "view_only", "is_alpha_testing"),
)
NEVER = ("pending_cancel", "size_in_quote", "size_inclusive_of_fees", "is_liquidation")


def product(symbol: str) -> str:
    """Return "BTC-USD" for "BTC/USD"."""
    return symbol.replace("/", "-")


def order_uuid(order_id: int) -> str:
    return str(uuid.UUID(int=order_id))


def order_number(text: str) -> int:
    """Return the exchange's own number of an order's UUID; ValueError when it is none."""
    return uuid.UUID(text).int


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def listing(exchange: Exchange, listing: Listing, *, now_ms: int) -> Payload:
    day = last_day(exchange.trades[listing.symbol], now_ms=now_ms) or Candle(now_ms, *(ZERO,) * 4)
    change = (day.close / day.open - 1) * 100 if day.open else ZERO
    return {
        **dict.fromkeys(EMPTY, ""),
        **dict.fromkeys(OFF, False),
        "product_id": product(listing.symbol),
        "price": plain(day.close),
        "price_percentage_change_24h": f"{change:.8f}",
        "volume_24h": plain(day.volume),
        "volume_percentage_change_24h": "0",
        "base_increment": plain(listing.lot),
        "quote_increment": plain(listing.tick),
        "price_increment": plain(listing.tick),
        "quote_min_size": plain(listing.min_notional),
        "quote_max_size": "150000000",
        "base_min_size": plain(listing.lot),
        "base_max_size": "3400",
        "base_name": listing.base,
        "quote_name": listing.quote,
        "status": "online",
        "product_type": "SPOT",
        "quote_currency_id": listing.quote,
        "base_currency_id": listing.base,
        "fcm_trading_session_details": None,
        "alias_to": [],
        "base_display_symbol": listing.base,
        "quote_display_symbol": listing.quote,
        "display_name": product(listing.symbol),
        "product_venue": "CBE",
        "approximate_quote_24h_volume": plain(day.cost),
        "new_at": "2023-01-01T00:00:00Z",
        "best_bid_price": "",
        "best_ask_price": "",
    }


def crypto_currency(asset: str) -> Payload:
    return {"asset_id": asset, "code": asset, "name": asset, "exponent": 8, "type": "crypto"}


def time_in_force(ask: Ask) -> str:
    if ask.price is None:
        return "IMMEDIATE_OR_CANCEL"
    return FORCE.get(ask.force, "GOOD_UNTIL_CANCELLED")


def configuration(ask: Ask) -> Payload:
    if ask.price is None:
        return {"market_market_ioc": {"base_size": plain(ask.quantity)}}
    sizes: Payload = {"base_size": plain(ask.quantity), "limit_price": plain(ask.price)}
    if ask.force in LIMITS:
        return {LIMITS[ask.force]: sizes}
    return {"limit_limit_gtc": {**sizes, "post_only": ask.force is Force.POST_ONLY}}


def order(order: Order, fills: list[Fill]) -> Payload:
    """Word an order as the historical endpoints do."""
    ask = order.ask
    average = order.cost / order.filled if order.filled else ZERO
    total = order.cost + order.fees if ask.side == "buy" else order.cost - order.fees
    last = instant(fills[-1].trade.time_ms) if fills else None
    done = (order.filled / ask.quantity * 100).quantize(Decimal("0.01"))
    quiet = ("reject_message", "leverage", "retail_portfolio_id", "originating_order_id", "attached_order_id")
    return {
        **dict.fromkeys(quiet, ""),
        **dict.fromkeys(NEVER, False),
        "order_id": order_uuid(order.id),
        "product_id": product(ask.symbol),
        "user_id": order_uuid(1),
        "order_configuration": configuration(ask),
        "side": ask.side.name,
        "client_order_id": order.client_id,
        "status": STATUS[order.state],
        "time_in_force": time_in_force(ask),
        "created_time": instant(order.created_ms),
        "completion_percentage": plain(done),
        "filled_size": plain(order.filled),
        "average_filled_price": plain(average),
        "fee": plain(order.fees),
        "number_of_fills": str(len(fills)),
        "filled_value": plain(order.cost),
        "total_fees": plain(order.fees),
        "total_value_after_fees": plain(total),
        "trigger_status": "INVALID_ORDER_TYPE",
        "order_type": "MARKET" if ask.price is None else "LIMIT",
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": not order.state.is_live,
        "product_type": "SPOT",
        "cancel_message": "",
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": plain(order.held),
        "last_fill_time": last,
        "margin_type": "CROSS",
    }


def fill(fill: Fill) -> Payload:
    trade = fill.trade
    return {
        "entry_id": f"{trade.id}-{fill.order_id}",
        "trade_id": f"{trade.id}-{fill.order_id}-0",
        "order_id": order_uuid(fill.order_id),
        "trade_time": instant(trade.time_ms),
        "trade_type": "FILL",
        "price": plain(trade.price),
        "size": plain(trade.quantity),
        "commission": plain(fill.fee),
        "product_id": product(trade.symbol),
        "sequence_timestamp": instant(trade.time_ms),
        "liquidity_indicator": "MAKER" if fill.is_maker else "TAKER",
        "size_in_quote": False,
        "user_id": order_uuid(1),
        "side": fill.side.name,
        "retail_portfolio_id": "",
    }


def account(asset: str, number: int, *, free: Decimal, held: Decimal) -> Payload:
    return {
        "uuid": order_uuid(number),
        "name": f"{asset} Wallet",
        "currency": asset,
        "available_balance": {"value": plain(free), "currency": asset},
        "default": True,
        "active": True,
        "created_at": "2021-05-31T09:59:59Z",
        "updated_at": "2024-01-15T10:30:00Z",
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if asset == "USD" else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": plain(held), "currency": asset},
        "retail_portfolio_id": "local",
    }


def wallet(asset: str, *, total: Decimal) -> Payload:
    return {
        "id": asset,
        "name": f"{asset} Wallet",
        "primary": True,
        "type": "fiat" if asset == "USD" else "wallet",
        "currency": {"code": asset, "name": asset},
        "balance": {"amount": plain(total), "currency": asset},
        "created_at": "2021-05-31T09:59:59Z",
        "updated_at": "2024-01-15T10:30:00Z",
        "resource": "account",
    }


def levels(side: tuple[tuple[Decimal, Decimal], ...]) -> list[Payload]:
    return [{"price": plain(price), "size": plain(quantity)} for price, quantity in side]


def book(symbol: str, depth: Depth, *, now_ms: int) -> Payload:
    sides = {"bids": levels(depth.bids), "asks": levels(depth.asks)}
    told: Payload = {"pricebook": {"product_id": product(symbol), **sides, "time": instant(now_ms)}}
    if depth.bids and depth.asks:
        bid, ask = depth.bids[0][0], depth.asks[0][0]
        middle = (bid + ask) / 2
        spread = f"{(ask - bid) / middle * 10_000:.12f}"
        told |= {"last": plain(middle), "mid_market": plain(middle)}
        told |= {"spread_bps": spread, "spread_absolute": plain(ask - bid)}
    return told


def public_trade(trade: Trade) -> Payload:
    return {
        "trade_id": str(trade.id),
        "product_id": product(trade.symbol),
        "price": plain(trade.price),
        "size": plain(trade.quantity),
        "time": instant(trade.time_ms),
        "side": trade.taker_side.name,
        "bid": "",
        "ask": "",
        "exchange": "coinbase",
    }


def candle(candle: Candle) -> Payload:
    values = {"low": candle.low, "high": candle.high, "open": candle.open, "close": candle.close}
    told = {key: plain(value) for key, value in {**values, "volume": candle.volume}.items()}
    return {"start": str(candle.start_ms // 1000), **told}


def candles(symbol: str, found: list[Candle], *, kind: str) -> Payload:
    """Word candles as the candles channel does."""
    return {"type": kind, "candles": [{**candle(c), "product_id": product(symbol)} for c in found]}


def message(channel: str, events: list[Payload], *, sequence: int, now_ms: int) -> Payload:
    """Wrap events as every channel does; the sequence counts a socket's messages."""
    stamps: Payload = {"timestamp": instant(now_ms), "sequence_num": sequence}
    return {"channel": channel, "client_id": "", **stamps, "events": events}


def level_updates(moved: DepthMoved, *, kind: str, now_ms: int) -> Payload:
    updates = [
        {"side": side, "event_time": instant(now_ms), "price_level": plain(p), "new_quantity": plain(q)}
        for side, changed in (("bid", moved.bids), ("offer", moved.asks))
        for p, q in changed
    ]
    return {"type": kind, "product_id": product(moved.symbol), "updates": updates}


def user_order(order: Order) -> Payload:
    ask = order.ask
    average = order.cost / order.filled if order.filled else ZERO
    return {
        "order_id": order_uuid(order.id),
        "client_order_id": order.client_id,
        "cumulative_quantity": plain(order.filled),
        "leaves_quantity": plain(order.open_quantity if order.state.is_live else ZERO),
        "avg_price": plain(average),
        "total_fees": plain(order.fees),
        "status": STATUS[order.state],
        "product_id": product(ask.symbol),
        "creation_time": instant(order.created_ms),
        "order_side": ask.side.name,
        "order_type": "Market" if ask.price is None else "Limit",
        "cancel_reason": "",
        "reject_reason": "",
        "limit_price": plain(ask.price or ZERO),
        "filled_value": plain(order.cost),
        "total_value_after_fees": plain(order.cost + order.fees),
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "product_type": "SPOT",
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "time_in_force": time_in_force(ask),
        "trigger_status": "INVALID_ORDER_TYPE",
    }
