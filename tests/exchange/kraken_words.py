"""How Kraken words orders, fills, pairs and books over HTTP, in JSON. Pure.

Kraken calls bitcoin XBT, and prefixes old currencies with X or Z.
"""

from __future__ import annotations

from decimal import Decimal

from tests.exchange.candles import last_day
from tests.exchange.matching import Exchange
from tests.exchange.terms import (
    ZERO,
    Ask,
    Candle,
    FeeSchedule,
    Fill,
    Force,
    Listing,
    Order,
    State,
    Trade,
)

Payload = dict[str, object]
ASSETS = {"BTC": "XXBT", "ETH": "XETH", "USD": "ZUSD"}
SHORT = {"BTC": "XBT"}
STATUS = {
    State.OPEN: "open",
    State.PARTLY_FILLED: "open",
    State.FILLED: "closed",
    State.CANCELLED: "canceled",
    State.EXPIRED: "expired",
}
DIGITS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def pair(symbol: str) -> str:
    """Return "XXBTZUSD" for "BTC/USD"."""
    base, quote = symbol.split("/")
    return ASSETS.get(base, base) + ASSETS.get(quote, quote)


def altname(symbol: str) -> str:
    """Return "XBTUSD" for "BTC/USD"."""
    base, quote = symbol.split("/")
    return SHORT.get(base, base) + quote


def order_txid(order_id: int) -> str:
    return _txid("O", order_id)


def trade_txid(trade_id: int, order_id: int) -> str:
    return _txid("T", trade_id * 1_000_003 + order_id)


def _txid(letter: str, number: int) -> str:
    """Return an id such as "O00000-00000-0000VG"."""
    text = ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        text = DIGITS[digit] + text
    text = text.rjust(16, "0")
    return f"{letter}{text[:5]}-{text[5:10]}-{text[10:]}"


def seconds(time_ms: int) -> float:
    return time_ms / 1000


def decimals(step: Decimal) -> int:
    return -int(step.as_tuple().exponent)


def asset(name: str) -> Payload:
    return {
        "aclass": "currency",
        "altname": SHORT.get(name, name),
        "decimals": 10,
        "display_decimals": 5,
        "status": "enabled",
    }


def listing(listing: Listing, fees: FeeSchedule) -> Payload:
    taker, maker = (float(ratio * 100) for ratio in (fees.taker_ratio, fees.maker_ratio))
    return {
        "altname": altname(listing.symbol),
        "wsname": f"{SHORT.get(listing.base, listing.base)}/{listing.quote}",
        "aclass_base": "currency",
        "base": ASSETS.get(listing.base, listing.base),
        "aclass_quote": "currency",
        "quote": ASSETS.get(listing.quote, listing.quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": decimals(listing.tick),
        "lot_decimals": decimals(listing.lot),
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, taker]],
        "fees_maker": [[0, maker]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": str(listing.lot),
        "costmin": str(listing.min_notional),
        "tick_size": str(listing.tick),
        "status": "online",
        "long_position_limit": 0,
        "short_position_limit": 0,
    }


def kind(ask: Ask) -> str:
    return "market" if ask.price is None else "limit"


def description(ask: Ask) -> str:
    where = "market" if ask.price is None else f"limit {ask.price}"
    return f"{ask.side} {ask.quantity:.8f} {altname(ask.symbol)} @ {where}"


def order(order: Order) -> Payload:
    """Word an order as OpenOrders, ClosedOrders and QueryOrders do."""
    ask = order.ask
    average = order.cost / order.filled if order.filled else ZERO
    told: Payload = {
        "refid": None,
        "userref": 0,
        "cl_ord_id": ask.client_id,
        "status": STATUS[order.state],
        "opentm": seconds(order.created_ms),
        "starttm": 0,
        "expiretm": 0,
        "descr": {
            "pair": altname(ask.symbol),
            "type": ask.side.value,
            "ordertype": kind(ask),
            "price": str(ask.price or 0),
            "price2": "0",
            "leverage": "none",
            "order": description(ask),
            "close": "",
        },
        "vol": f"{ask.quantity:.8f}",
        "vol_exec": f"{order.filled:.8f}",
        "cost": f"{order.cost:.8f}",
        "fee": f"{order.fees:.8f}",
        "price": f"{average:.8f}",
        "stopprice": "0.00000",
        "limitprice": "0.00000",
        "misc": "",
        "oflags": "post,fciq" if ask.force is Force.POST_ONLY else "fciq",
    }
    if not order.state.is_live:
        told |= {"reason": None, "closetm": seconds(order.updated_ms)}
    return told


def fill(fill: Fill, ask: Ask) -> Payload:
    trade = fill.trade
    return {
        "ordertxid": order_txid(fill.order_id),
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": pair(trade.symbol),
        "time": seconds(trade.time_ms),
        "type": fill.side.value,
        "ordertype": kind(ask),
        "price": f"{trade.price:.8f}",
        "cost": f"{trade.price * trade.quantity:.8f}",
        "fee": f"{fill.fee:.8f}",
        "vol": f"{trade.quantity:.8f}",
        "margin": "0.00000",
        "misc": "",
        "trade_id": trade.id,
        "maker": fill.is_maker,
        "ledgers": [_txid("L", trade.id)],
    }


def public_trade(trade: Trade) -> list[object]:
    letter = trade.taker_side.value[0]
    return [f"{trade.price:.5f}", f"{trade.quantity:.8f}", seconds(trade.time_ms), letter, "l", "", trade.id]


def levels(side: tuple[tuple[Decimal, Decimal], ...], *, now_ms: int) -> list[list[object]]:
    return [[f"{price:.5f}", f"{quantity:.8f}", now_ms // 1000] for price, quantity in side]


def candle(candle: Candle) -> list[object]:
    average = candle.cost / candle.volume
    prices = (candle.open, candle.high, candle.low, candle.close, average)
    return [candle.start_ms // 1000, *(f"{p:.5f}" for p in prices), f"{candle.volume:.8f}", candle.trades]


def ticker(exchange: Exchange, symbol: str, *, now_ms: int) -> Payload:
    trades, best = exchange.trades[symbol], exchange.depth(symbol, 1)
    day = last_day(trades, now_ms=now_ms) or Candle(now_ms, *(ZERO,) * 4)
    bid, ask = (side[0] if side else (ZERO, ZERO) for side in (best.bids, best.asks))
    average = day.cost / day.volume if day.volume else ZERO
    last = trades[-1].quantity if trades else ZERO
    return {
        "a": [f"{ask[0]:.5f}", f"{ask[1]:.0f}", f"{ask[1]:.3f}"],
        "b": [f"{bid[0]:.5f}", f"{bid[1]:.0f}", f"{bid[1]:.3f}"],
        "c": [f"{day.close:.5f}", f"{last:.8f}"],
        "v": [f"{day.volume:.8f}"] * 2,
        "p": [f"{average:.5f}"] * 2,
        "t": [day.trades] * 2,
        "l": [f"{day.low:.5f}"] * 2,
        "h": [f"{day.high:.5f}"] * 2,
        "o": f"{day.open:.5f}",
    }
