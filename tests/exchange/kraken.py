"""Kraken over HTTP: signed requests with a growing nonce in, results and error lists out.

Errors come with status 200, as `{"error": ["EOrder:..."]}`. Client order ids are found
among open orders only, as on the real venue.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from urllib.parse import parse_qsl

from aiohttp import web

from tests.exchange import kraken_words as words
from tests.exchange.candles import MINUTE_MS, candles
from tests.exchange.counter import Counter, amount
from tests.exchange.terms import Ask, Force, Order, RefusedError, Side, Why, instant

PUBLIC, PRIVATE = "/0/public/", "/0/private/"
TOKEN = "local-token"  # noqa: S105 - known to the local exchange alone
FORCES = {"gtc": Force.GOOD_TILL_CANCELLED, "ioc": Force.IMMEDIATE_OR_CANCEL, "fok": Force.FILL_OR_KILL}
REFUSALS = {
    Why.UNKNOWN_SYMBOL: "EQuery:Invalid asset pair",
    Why.BAD_PRICE: "EOrder:Invalid price",
    Why.BAD_QUANTITY: "EGeneral:Invalid arguments:volume",
    Why.TOO_SMALL: "EOrder:Order minimum not met",
    Why.NO_FUNDS: "EOrder:Insufficient funds",
    Why.DUPLICATE: "EOrder:Client order id not unique",
    Why.WOULD_TAKE: "EOrder:Post only order",
    Why.NO_LIQUIDITY: "EService:Market in post_only mode",
    Why.UNKNOWN_ORDER: "EOrder:Unknown order",
    Why.NOT_LIVE: "EOrder:Unknown order",
}
Params = Mapping[str, str]


class KrakenError(Exception):
    """A refusal in Kraken's words."""


class KrakenCalls:
    """What may be asked; parameters are text."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._exchange, self._desk = counter.exchange, counter.desk
        self._last_nonce = 0
        symbols = counter.exchange.listings
        self._symbols = {name(s): s for s in symbols for name in (words.pair, words.altname, str)}

    def now_ms(self) -> int:
        return self._counter.clock_ms()

    def time(self, params: Params) -> object:
        now = self.now_ms() // 1000
        return {"unixtime": now, "rfc1123": instant(now * 1000)}

    def system_status(self, params: Params) -> object:
        return {"status": "online", "timestamp": instant(self.now_ms())}

    def asset_pairs(self, params: Params) -> object:
        fees = self._exchange.fees
        return {words.pair(s): words.listing(listing, fees) for s, listing in self._exchange.listings.items()}

    def assets(self, params: Params) -> object:
        listings = self._exchange.listings.values()
        return {
            words.ASSETS.get(asset, asset): words.asset(asset)
            for asset in sorted({a for listing in listings for a in (listing.base, listing.quote)})
        }

    def depth(self, params: Params) -> object:
        symbol, now = self._symbol(params), self.now_ms()
        depth = self._exchange.depth(symbol, int(params.get("count", "100")))
        sides = {"asks": words.levels(depth.asks, now_ms=now), "bids": words.levels(depth.bids, now_ms=now)}
        return {words.pair(symbol): sides}

    def trades(self, params: Params) -> object:
        symbol = self._symbol(params)
        told = [words.public_trade(trade) for trade in self._exchange.trades[symbol]]
        return {words.pair(symbol): told[-1000:], "last": str(self.now_ms() * 1_000_000)}

    def ohlc(self, params: Params) -> object:
        symbol, minutes = self._symbol(params), int(params.get("interval", "1"))
        found = candles(self._exchange.trades[symbol], interval_ms=minutes * MINUTE_MS)
        return {words.pair(symbol): [words.candle(c) for c in found][-720:], "last": self.now_ms() // 1000}

    def ticker(self, params: Params) -> object:
        named = [name for name in params.get("pair", "").split(",") if name]
        symbols = [self._symbol({"pair": name}) for name in named] or list(self._exchange.listings)
        return {words.pair(s): words.ticker(self._exchange, s, now_ms=self.now_ms()) for s in symbols}

    def balance(self, params: Params) -> object:
        told = self._exchange.vault.holdings(self._desk.account)
        return {words.ASSETS.get(asset, asset): f"{h.free + h.held:.8f}" for asset, h in told.items()}

    def extended_balance(self, params: Params) -> object:
        told = self._exchange.vault.holdings(self._desk.account)
        return {
            words.ASSETS.get(asset, asset): {
                "balance": f"{h.free + h.held:.8f}",
                "hold_trade": f"{h.held:.8f}",
            }
            for asset, h in told.items()
        }

    def add_order(self, params: Params) -> object:
        order = self._desk.place(self._ask(params))
        ask = order.ask
        told = {
            "pair": words.altname(ask.symbol),
            "type": ask.side.value,
            "ordertype": words.kind(ask),
            "price": str(ask.price or 0),
            "price2": "0",
            "leverage": "none",
            "order": words.description(ask),
        }
        return {"descr": told, "txid": [words.order_txid(order.id)]}

    def cancel_order(self, params: Params) -> object:
        orders = [o for o in self._desk.open_orders() if self._is_meant(o, params)]
        if not orders:
            raise RefusedError(Why.UNKNOWN_ORDER)
        for order in orders:
            self._desk.cancel(order_id=order.id)
        return {"count": len(orders)}

    def cancel_all(self, params: Params) -> object:
        orders = self._desk.open_orders()
        for order in orders:
            self._desk.cancel(order_id=order.id)
        return {"count": len(orders)}

    def open_orders(self, params: Params) -> object:
        live = [o for o in self._desk.open_orders() if params.get("cl_ord_id") in (None, o.ask.client_id)]
        return {"open": {words.order_txid(o.id): words.order(o) for o in live}}

    def closed_orders(self, params: Params) -> object:
        done = [o for o in self._desk.done_orders() if params.get("cl_ord_id") in (None, o.ask.client_id)]
        first = int(params.get("ofs", "0"))
        newest = sorted(done, key=lambda order: -order.updated_ms)[first : first + 50]
        return {"closed": {words.order_txid(o.id): words.order(o) for o in newest}, "count": len(done)}

    def query_orders(self, params: Params) -> object:
        asked = set(params["txid"].split(","))
        both = self._desk.open_orders() + self._desk.done_orders()
        found = [o for o in both if words.order_txid(o.id) in asked]
        if not found:
            raise RefusedError(Why.UNKNOWN_ORDER)
        return {words.order_txid(o.id): {**words.order(o), "trades": self._trade_ids(o)} for o in found}

    def trades_history(self, params: Params) -> object:
        since = float(params.get("start", "0"))
        fills = [f for f in self._desk.fills() if words.seconds(f.trade.time_ms) > since]
        orders = self._exchange.orders
        told = {
            words.trade_txid(f.trade.id, f.order_id): words.fill(f, orders[f.order_id].ask)
            for f in reversed(fills)
        }
        first = int(params.get("ofs", "0"))
        return {"trades": dict(list(told.items())[first : first + 50]), "count": len(told)}

    def token(self, params: Params) -> object:
        return {"token": TOKEN, "expires": 900}

    def judge(self, path: str, body: str, headers: Mapping[str, str]) -> Params:
        """Return a signed request's parameters; KrakenError for a wrong key, signature or nonce."""
        if headers.get("API-Key") != self._counter.credentials.key:
            raise KrakenError("EAPI:Invalid key")
        params = dict(parse_qsl(body)) if not body.startswith("{") else json.loads(body)
        nonce = str(params.get("nonce", ""))
        digest = hashlib.sha256((nonce + body).encode()).digest()
        secret = base64.b64decode(self._counter.credentials.secret)
        expected = base64.b64encode(hmac.new(secret, path.encode() + digest, hashlib.sha512).digest())
        if not hmac.compare_digest(expected.decode(), headers.get("API-Sign", "")):
            raise KrakenError("EAPI:Invalid signature")
        if not nonce.isdigit() or int(nonce) <= self._last_nonce:
            raise KrakenError("EAPI:Invalid nonce")
        self._last_nonce = int(nonce)
        return params

    def _trade_ids(self, order: Order) -> list[str]:
        return [words.trade_txid(f.trade.id, order.id) for f in self._desk.fills(order_id=order.id)]

    def _is_meant(self, order: Order, params: Params) -> bool:
        if "cl_ord_id" in params:
            return order.ask.client_id == params["cl_ord_id"]
        return words.order_txid(order.id) == params.get("txid")

    def _symbol(self, params: Params) -> str:
        try:
            return self._symbols[params.get("pair", "")]
        except KeyError:
            raise RefusedError(Why.UNKNOWN_SYMBOL) from None

    def _ask(self, params: Params) -> Ask:
        symbol, side = self._symbol(params), Side(params["type"])
        quantity = amount(params.get("volume"), otherwise=Why.BAD_QUANTITY)
        if "viqc" in params.get("oflags", ""):
            quantity = self._exchange.quantity_for(symbol, side, quantity)
        is_post_only = "post" in params.get("oflags", "").split(",")
        force = Force.POST_ONLY if is_post_only else FORCES[params.get("timeinforce", "GTC").lower()]
        return Ask(
            self._desk.account,
            symbol,
            side,
            Decimal(quantity),
            amount(params.get("price"), otherwise=Why.BAD_PRICE) if params["ordertype"] == "limit" else None,
            force,
            params.get("cl_ord_id"),
        )


Call = Callable[[KrakenCalls, Params], object]
CALLS: dict[str, Call] = {
    PUBLIC + "Time": KrakenCalls.time,
    PUBLIC + "SystemStatus": KrakenCalls.system_status,
    PUBLIC + "Assets": KrakenCalls.assets,
    PUBLIC + "AssetPairs": KrakenCalls.asset_pairs,
    PUBLIC + "Depth": KrakenCalls.depth,
    PUBLIC + "Trades": KrakenCalls.trades,
    PUBLIC + "OHLC": KrakenCalls.ohlc,
    PUBLIC + "Ticker": KrakenCalls.ticker,
    PRIVATE + "Balance": KrakenCalls.balance,
    PRIVATE + "BalanceEx": KrakenCalls.extended_balance,
    PRIVATE + "AddOrder": KrakenCalls.add_order,
    PRIVATE + "CancelOrder": KrakenCalls.cancel_order,
    PRIVATE + "CancelAll": KrakenCalls.cancel_all,
    PRIVATE + "OpenOrders": KrakenCalls.open_orders,
    PRIVATE + "ClosedOrders": KrakenCalls.closed_orders,
    PRIVATE + "QueryOrders": KrakenCalls.query_orders,
    PRIVATE + "TradesHistory": KrakenCalls.trades_history,
    PRIVATE + "GetWebSocketsToken": KrakenCalls.token,
}


def carried_out(calls: KrakenCalls, call: Call, params: Params) -> object:
    """Carry a call out; what is wrong with it becomes a KrakenError."""
    try:
        return call(calls, params)
    except RefusedError as refused:
        raise KrakenError(REFUSALS[refused.why]) from None
    except (KeyError, ValueError):
        raise KrakenError("EGeneral:Invalid arguments") from None


def kraken_routes(counter: Counter) -> list[web.RouteDef]:
    """Return the REST routes of Kraken spot."""
    calls = KrakenCalls(counter)

    def route(path: str, call: Call) -> web.RouteDef:
        async def handle(request: web.Request) -> web.Response:
            try:
                params: Params = dict(request.query)
                if path.startswith(PRIVATE):
                    params = calls.judge(path, await request.text(), request.headers)
                return web.json_response({"error": [], "result": carried_out(calls, call, params)})
            except KrakenError as error:
                return web.json_response({"error": [str(error)]})

        return web.route("POST" if path.startswith(PRIVATE) else "GET", path, handle)

    return [route(path, call) for path, call in CALLS.items()]
