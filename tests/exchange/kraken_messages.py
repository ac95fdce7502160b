"""How Kraken words what happens on its sockets (version 2): bitcoin is BTC, and numbers are no text. Pure."""

from __future__ import annotations

from tests.exchange import kraken_words as words
from tests.exchange.candles import MINUTE_MS
from tests.exchange.terms import Candle, DepthMoved, Listing, Order, OrderTurned, State, Trade, Turn, instant

STREAM_STATUS = {
    State.OPEN: "new",
    State.PARTLY_FILLED: "partially_filled",
    State.FILLED: "filled",
    State.CANCELLED: "canceled",
    State.EXPIRED: "expired",
}
EXECUTION = {
    Turn.ACCEPTED: "new",
    Turn.TRADED: "trade",
    Turn.CANCELLED: "canceled",
    Turn.EXPIRED: "expired",
}


def trade_message(trade: Trade) -> words.Payload:
    told = {
        "symbol": trade.symbol,
        "side": trade.taker_side.value,
        "price": float(trade.price),
        "qty": float(trade.quantity),
        "ord_type": "limit",
        "trade_id": trade.id,
        "timestamp": instant(trade.time_ms),
    }
    return {"channel": "trade", "type": "update", "data": [told]}


def book_message(
    moved: DepthMoved, listing: Listing, *, now_ms: int, kind: str, checksum: int
) -> words.Payload:
    """Word levels as the book channel does, with all digits: the checksum is over them."""
    bids, asks = (
        [{"price": p.quantize(listing.tick), "qty": q.quantize(listing.lot)} for p, q in side]
        for side in (moved.bids, moved.asks)
    )
    told = {
        "symbol": moved.symbol,
        "bids": bids,
        "asks": asks,
        "checksum": checksum,
        "timestamp": instant(now_ms),
    }
    return {"channel": "book", "type": kind, "data": [told]}


def candle_message(symbol: str, found: list[Candle], *, minutes: int, kind: str) -> words.Payload:
    """Word candles as the ohlc channel does."""
    told = [
        {
            "symbol": symbol,
            "interval": minutes,
            "interval_begin": instant(candle.start_ms),
            "timestamp": instant(candle.start_ms + minutes * MINUTE_MS),
            **{name: float(getattr(candle, name)) for name in ("open", "high", "low", "close", "volume")},
            "vwap": float(candle.cost / candle.volume),
            "trades": candle.trades,
        }
        for candle in found
    ]
    return {"channel": "ohlc", "type": kind, "data": told}


def execution(turned: OrderTurned, *, sequence: int) -> words.Payload:
    """Word an order's turn as the executions channel does."""
    told, fill = _order(turned.order) | {"exec_type": EXECUTION[turned.turn]}, turned.fill
    if fill is not None:
        told |= {
            "exec_id": words.trade_txid(fill.trade.id, fill.order_id),
            "trade_id": fill.trade.id,
            "last_qty": float(fill.trade.quantity),
            "last_price": float(fill.trade.price),
            "cost": float(fill.trade.price * fill.trade.quantity),
            "liquidity_ind": "m" if fill.is_maker else "t",
            "fees": [{"asset": fill.fee_asset, "qty": float(fill.fee)}],
        }
    return {"channel": "executions", "type": "update", "data": [told], "sequence": sequence}


def completion(order: Order, *, sequence: int) -> words.Payload:
    """Word what follows the last trade of an order: that all of it is filled."""
    told = _order(order) | {"exec_type": "filled"}
    return {"channel": "executions", "type": "update", "data": [told], "sequence": sequence}


def _order(order: Order) -> words.Payload:
    ask = order.ask
    told: words.Payload = {
        "order_id": words.order_txid(order.id),
        "cl_ord_id": ask.client_id,
        "order_userref": 0,
        "symbol": ask.symbol,
        "side": ask.side.value,
        "order_type": words.kind(ask),
        "order_qty": float(ask.quantity),
        "order_status": STREAM_STATUS[order.state],
        "cum_qty": float(order.filled),
        "cum_cost": float(order.cost),
        "avg_price": float(order.cost / order.filled) if order.filled else 0.0,
        "fee_usd_equiv": float(order.fees),
        "timestamp": instant(order.updated_ms),
    }
    if ask.price is not None:
        told["limit_price"] = float(ask.price)
    return told
