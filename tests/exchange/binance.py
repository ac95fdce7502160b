"""Binance spot over HTTP: signed requests in, orders and answers out.

The same calls serve its WebSocket API (`binance_streams.py`). Codes and messages are those
that Binance documents; what it does not refuse, this does not refuse either.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests.exchange import binance_words as words
from tests.exchange.candles import candles
from tests.exchange.counter import Counter, amount
from tests.exchange.terms import Ask, Force, RefusedError, SelfTrade, Side, Why

API = "/api/v3"
FORCES = {"GTC": Force.GOOD_TILL_CANCELLED, "IOC": Force.IMMEDIATE_OR_CANCEL, "FOK": Force.FILL_OR_KILL}
SELF_TRADES = {"EXPIRE_TAKER": SelfTrade.EXPIRE_TAKER, "EXPIRE_MAKER": SelfTrade.EXPIRE_MAKER}
MAX_AHEAD_MS = 1_000
RECV_WINDOW_MS = 5_000
REFUSALS = {
    Why.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Why.BAD_PRICE: (-1013, "Filter failure: PRICE_FILTER"),
    Why.BAD_QUANTITY: (-1013, "Filter failure: LOT_SIZE"),
    Why.TOO_SMALL: (-1013, "Filter failure: NOTIONAL"),
    Why.NO_FUNDS: (-2010, "Account has insufficient balance for requested action."),
    Why.DUPLICATE: (-2010, "Duplicate order sent."),
    Why.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Why.NO_LIQUIDITY: (-2010, "Order book liquidity is less than LOT_SIZE filter minimum quantity."),
    Why.UNKNOWN_ORDER: (-2013, "Order does not exist."),
    Why.NOT_LIVE: (-2011, "Unknown order sent."),
}
Params = Mapping[str, str]


class BinanceError(Exception):
    """A refusal in Binance's words."""

    def __init__(self, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    @property
    def payload(self) -> words.Payload:
        return {"code": self.code, "msg": self.message}


class BinanceCalls:
    """What may be asked, whether by HTTP or by socket; parameters are text."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._exchange, self._desk = counter.exchange, counter.desk
        self._symbols = {words.pair(symbol): symbol for symbol in counter.exchange.listings}

    def now_ms(self) -> int:
        return self._counter.clock_ms()

    def ping(self, params: Params) -> object:
        return {}

    def time(self, params: Params) -> object:
        return {"serverTime": self.now_ms()}

    def exchange_info(self, params: Params) -> object:
        listings = self._exchange.listings.values()
        return {
            "timezone": "UTC",
            "serverTime": self.now_ms(),
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": [words.listing(listing) for listing in listings],
        }

    def depth(self, params: Params) -> object:
        most = int(params.get("limit", "100"))
        return words.depth(self._exchange.depth(self.symbol(params), most))

    def trades(self, params: Params) -> object:
        recent = self._exchange.trades[self.symbol(params)][-int(params.get("limit", "500")) :]
        return [words.public_trade(trade) for trade in recent]

    def aggregate_trades(self, params: Params) -> object:
        """Every trade stands for itself: nothing is aggregated here."""
        recent = self._exchange.trades[self.symbol(params)][-int(params.get("limit", "500")) :]
        return [words.aggregate_trade(trade) for trade in recent]

    def klines(self, params: Params) -> object:
        interval_ms = words.INTERVALS_MS[params.get("interval", "1m")]
        found = candles(self._exchange.trades[self.symbol(params)], interval_ms=interval_ms)
        since, until = int(params.get("startTime", "0")), int(params.get("endTime", str(2**62)))
        told = [words.kline(c, interval_ms=interval_ms) for c in found if since <= c.start_ms <= until]
        return told[-int(params.get("limit", "500")) :]

    def ticker(self, params: Params) -> object:
        if "symbol" in params:
            return words.ticker(self._exchange, self.symbol(params), now_ms=self.now_ms())
        return [words.ticker(self._exchange, s, now_ms=self.now_ms()) for s in self._symbols.values()]

    def account(self, params: Params) -> object:
        return words.account(self._exchange, self._desk.account, now_ms=self.now_ms())

    def new_order(self, params: Params) -> object:
        order = self._desk.place(self._ask(params))
        return words.accepted(order, self._desk.fills(order_id=order.id))

    def get_order(self, params: Params) -> object:
        return words.order(self._desk.find(**_ids(params)))

    def cancel_order(self, params: Params) -> object:
        try:
            return words.cancelled(self._desk.cancel(**_ids(params)))
        except RefusedError as refused:
            if refused.why is Why.UNKNOWN_ORDER:
                raise RefusedError(Why.NOT_LIVE) from None
            raise

    def open_orders(self, params: Params) -> object:
        symbol = self.symbol(params) if "symbol" in params else None
        return [words.order(order) for order in self._desk.open_orders(symbol)]

    def cancel_open_orders(self, params: Params) -> object:
        live = self._desk.open_orders(self.symbol(params))
        if not live:
            raise RefusedError(Why.NOT_LIVE)
        return [words.cancelled(self._desk.cancel(order_id=order.id)) for order in live]

    def all_orders(self, params: Params) -> object:
        symbol = self.symbol(params)
        both = self._desk.open_orders(symbol) + self._desk.done_orders(symbol)
        return [words.order(order) for order in sorted(both, key=lambda order: order.id)]

    def my_trades(self, params: Params) -> object:
        order_id = int(params["orderId"]) if "orderId" in params else None
        fills = self._desk.fills(self.symbol(params), order_id=order_id)
        since, most = int(params.get("startTime", "0")), int(params.get("limit", "500"))
        told = [words.fill(f) for f in fills if f.trade.time_ms >= since]
        if "fromId" in params:
            return [one for f, one in zip(fills, told, strict=False) if f.trade.id >= int(params["fromId"])][
                :most
            ]
        return told[-most:]

    def symbol(self, params: Params) -> str:
        try:
            return self._symbols[params.get("symbol", "")]
        except KeyError:
            raise RefusedError(Why.UNKNOWN_SYMBOL) from None

    def _ask(self, params: Params) -> Ask:
        kind, symbol = params.get("type"), self.symbol(params)
        side = Side[params["side"]]
        force = Force.POST_ONLY if kind == "LIMIT_MAKER" else FORCES[params.get("timeInForce", "GTC")]
        return Ask(
            self._desk.account,
            symbol,
            side,
            self._quantity(params, symbol, side),
            None if kind == "MARKET" else amount(params.get("price"), otherwise=Why.BAD_PRICE),
            force,
            params.get("newClientOrderId"),
            SELF_TRADES.get(params.get("selfTradePreventionMode", ""), SelfTrade.ALLOW),
        )

    def _quantity(self, params: Params, symbol: str, side: Side) -> Decimal:
        if "quoteOrderQty" in params:
            cost = amount(params["quoteOrderQty"], otherwise=Why.BAD_QUANTITY)
            return self._exchange.quantity_for(symbol, side, cost)
        return amount(params.get("quantity"), otherwise=Why.BAD_QUANTITY)

    def check_time(self, params: Params) -> None:
        """Refuse a signed request that was not made just now."""
        sent, now = int(params.get("timestamp", "0")), self.now_ms()
        if sent > now + MAX_AHEAD_MS:
            raise BinanceError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if sent < now - int(params.get("recvWindow", str(RECV_WINDOW_MS))):
            raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")

    def check_signature(self, signed: str, signature: str) -> None:
        secret = self._counter.credentials.secret.encode()
        expected = hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            raise BinanceError(-1022, "Signature for this request is not valid.")

    def check_key(self, key: str | None) -> None:
        if key != self._counter.credentials.key:
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


Call = Callable[[BinanceCalls, Params], object]
PUBLIC: dict[tuple[str, str], Call] = {
    ("GET", "/ping"): BinanceCalls.ping,
    ("GET", "/time"): BinanceCalls.time,
    ("GET", "/exchangeInfo"): BinanceCalls.exchange_info,
    ("GET", "/depth"): BinanceCalls.depth,
    ("GET", "/trades"): BinanceCalls.trades,
    ("GET", "/aggTrades"): BinanceCalls.aggregate_trades,
    ("GET", "/klines"): BinanceCalls.klines,
    ("GET", "/ticker/24hr"): BinanceCalls.ticker,
}
SIGNED: dict[tuple[str, str], Call] = {
    ("GET", "/account"): BinanceCalls.account,
    ("POST", "/order"): BinanceCalls.new_order,
    ("GET", "/order"): BinanceCalls.get_order,
    ("DELETE", "/order"): BinanceCalls.cancel_order,
    ("GET", "/openOrders"): BinanceCalls.open_orders,
    ("DELETE", "/openOrders"): BinanceCalls.cancel_open_orders,
    ("GET", "/allOrders"): BinanceCalls.all_orders,
    ("GET", "/myTrades"): BinanceCalls.my_trades,
}


def carried_out(calls: BinanceCalls, call: Call, params: Params) -> object:
    """Carry a call out; what is wrong with it becomes a BinanceError."""
    try:
        return call(calls, params)
    except RefusedError as refused:
        raise BinanceError(*REFUSALS[refused.why]) from None
    except KeyError as missing:
        name = str(missing.args[0])
        raise BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null.") from None
    except ValueError:
        raise BinanceError(-1100, "Illegal characters found in a parameter.") from None


def binance_routes(counter: Counter) -> list[web.RouteDef]:
    """Return the REST routes of Binance spot."""
    calls = BinanceCalls(counter)

    def route(method: str, path: str, call: Call, *, is_signed: bool) -> web.RouteDef:
        async def handle(request: web.Request) -> web.Response:
            raw = request.rel_url.raw_query_string + await request.text()
            try:
                return web.json_response(_answer(calls, call, raw, request if is_signed else None))
            except BinanceError as error:
                return web.json_response(error.payload, status=error.status)

        return web.route(method, API + path, handle)

    public = [route(*place, call, is_signed=False) for place, call in PUBLIC.items()]
    return public + [route(*place, call, is_signed=True) for place, call in SIGNED.items()]


def _answer(calls: BinanceCalls, call: Call, raw: str, signed: web.Request | None) -> object:
    params = dict(parse_qsl(raw))
    if signed is not None:
        calls.check_key(signed.headers.get("X-MBX-APIKEY"))
        text, _, signature = raw.rpartition("&signature=")
        calls.check_signature(text, signature)
        calls.check_time(params)
    return carried_out(calls, call, params)


def _ids(params: Params) -> dict[str, Any]:
    if "orderId" in params:
        return {"order_id": int(params["orderId"])}
    return {"client_id": params["origClientOrderId"]}
