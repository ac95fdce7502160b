"""How Binance spot words what happens, on its market and user data streams. Pure."""

from __future__ import annotations

from tests.exchange import binance_words as words
from tests.exchange.terms import ZERO, Candle, DepthMoved, OrderTurned, Trade, Turn

EXECUTION = {
    Turn.ACCEPTED: "NEW",
    Turn.TRADED: "TRADE",
    Turn.CANCELLED: "CANCELED",
    Turn.EXPIRED: "EXPIRED",
}


def trade_event(trade: Trade, *, now_ms: int) -> words.Payload:
    return {
        "e": "trade",
        "E": now_ms,
        "s": words.pair(trade.symbol),
        "t": trade.id,
        "p": words.eight(trade.price),
        "q": words.eight(trade.quantity),
        "T": trade.time_ms,
        "m": trade.taker_side == "sell",
        "M": True,
    }


def depth_event(moved: DepthMoved, *, now_ms: int) -> words.Payload:
    return {
        "e": "depthUpdate",
        "E": now_ms,
        "s": words.pair(moved.symbol),
        "U": moved.sequence,
        "u": moved.sequence,
        "b": words.levels(moved.bids),
        "a": words.levels(moved.asks),
    }


def execution_report(turned: OrderTurned, *, now_ms: int) -> words.Payload:
    """Word an order's turn as the user data stream does."""
    order, ask, fill = turned.order, turned.order.ask, turned.fill
    quantity, price = (fill.trade.quantity, fill.trade.price) if fill else (ZERO, ZERO)
    return {
        "e": "executionReport",
        "E": now_ms,
        "s": words.pair(ask.symbol),
        "c": order.client_id,
        "S": ask.side.name,
        "o": words.order_type(ask),
        "f": words.FORCE.get(ask.force, "GTC"),
        "q": words.eight(ask.quantity),
        "p": words.eight(ask.price or ZERO),
        "P": words.eight(ZERO),
        "F": words.eight(ZERO),
        "g": -1,
        "C": "",
        "x": EXECUTION[turned.turn],
        "X": words.STATUS[order.state],
        "r": "NONE",
        "i": order.id,
        "l": words.eight(quantity),
        "z": words.eight(order.filled),
        "L": words.eight(price),
        "n": words.eight(fill.fee) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": order.updated_ms,
        "t": fill.trade.id if fill else -1,
        "I": order.id,
        "M": False,
        "w": order.state.is_live,
        "m": bool(fill and fill.is_maker),
        "O": order.created_ms,
        "Z": words.eight(order.cost),
        "Y": words.eight(quantity * price),
        "Q": words.eight(ZERO),
        "W": order.created_ms,
        "V": "NONE",
    }


def kline_event(symbol: str, candle: Candle, *, interval: str, now_ms: int) -> words.Payload:
    prices = {"o": candle.open, "c": candle.close, "h": candle.high, "l": candle.low}
    sums = {
        "v": candle.volume,
        "q": candle.cost,
        "V": candle.taker_buy_volume,
        "Q": candle.taker_buy_cost,
    }
    told: words.Payload = {
        "t": candle.start_ms,
        "T": candle.start_ms + words.INTERVALS_MS[interval] - 1,
        "s": words.pair(symbol),
        "i": interval,
        "f": candle.first_id,
        "L": candle.last_id,
        **{key: words.eight(value) for key, value in (prices | sums).items()},
        "n": candle.trades,
        "x": candle.is_closed,
        "B": "0",
    }
    return {"e": "kline", "E": now_ms, "s": words.pair(symbol), "k": told}
