"""Binance spot over sockets: market streams, and the WebSocket API with its user data stream."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.exchange import binance_events as events
from tests.exchange import binance_words as words
from tests.exchange.binance import BinanceCalls, BinanceError, Call, carried_out
from tests.exchange.candles import after_a_trade
from tests.exchange.counter import Counter
from tests.exchange.streams import Listener
from tests.exchange.terms import BalanceMoved, DepthMoved, Happening, OrderTurned, Trade

MARKET_PATH = "/stream/ws"
API_PATH = "/ws-api/v3"
KINDS = {"trade", "depth", "ticker", *(f"kline_{interval}" for interval in words.INTERVALS_MS)}
METHODS: dict[str, Call] = {
    "ping": BinanceCalls.ping,
    "time": BinanceCalls.time,
    "order.place": BinanceCalls.new_order,
    "order.status": BinanceCalls.get_order,
    "order.cancel": BinanceCalls.cancel_order,
    "openOrders.status": BinanceCalls.open_orders,
    "openOrders.cancelAll": BinanceCalls.cancel_open_orders,
    "myTrades": BinanceCalls.my_trades,
    "account.status": BinanceCalls.account,
}
OPEN_TO_ALL = {"ping", "time"}
SUBSCRIBE = "userDataStream.subscribe.signature"


class BinanceStreams:
    """Tells followers what happens, and answers what they ask."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._calls = BinanceCalls(counter)
        self._symbols = {words.pair(s).lower(): s for s in counter.exchange.listings}
        counter.exchange.listeners.append(self._happened)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(MARKET_PATH, self._market),
            web.get(MARKET_PATH + "/{number}", self._market),
            web.get(API_PATH, self._api),
        ]

    def _happened(self, happening: Happening) -> None:
        hub, now = self._counter.hub, self._calls.now_ms()
        match happening:
            case Trade():
                hub.tell(f"trade {happening.symbol}", events.trade_event(happening, now_ms=now))
                if hub.has(f"ticker {happening.symbol}"):
                    hub.tell(f"ticker {happening.symbol}", self._ticker(happening.symbol))
                self._tell_candles(happening.symbol, now)
            case DepthMoved():
                hub.tell(f"depth {happening.symbol}", events.depth_event(happening, now_ms=now))
            case OrderTurned() if happening.order.ask.account == self._counter.desk.account:
                self._tell_user(events.execution_report(happening, now_ms=now))
            case BalanceMoved() if happening.account == self._counter.desk.account:
                self._tell_user(self._balances(happening, now))

    def _tell_candles(self, symbol: str, now: int) -> None:
        trades = self._counter.exchange.trades[symbol]
        for interval, interval_ms in words.INTERVALS_MS.items():
            topic = f"kline_{interval} {symbol}"
            told = after_a_trade(trades, interval_ms=interval_ms) if self._counter.hub.has(topic) else []
            for candle in told:
                event = events.kline_event(symbol, candle, interval=interval, now_ms=now)
                self._counter.hub.tell(topic, event)

    def _tell_user(self, event: words.Payload) -> None:
        self._counter.hub.tell("user", {"subscriptionId": 0, "event": event})

    def _balances(self, moved: BalanceMoved, now: int) -> words.Payload:
        vault = self._counter.exchange.vault
        holdings = [(asset, vault.holding(moved.account, asset)) for asset in sorted(moved.assets)]
        told = [{"a": asset, "f": words.eight(h.free), "l": words.eight(h.held)} for asset, h in holdings]
        return {"e": "outboundAccountPosition", "E": now, "u": now, "B": told}

    def _ticker(self, symbol: str) -> words.Payload:
        rest = words.ticker(self._counter.exchange, symbol, now_ms=self._calls.now_ms())
        letters = {
            "s": "symbol",
            "p": "priceChange",
            "P": "priceChangePercent",
            "w": "weightedAvgPrice",
            "x": "prevClosePrice",
            "c": "lastPrice",
            "Q": "lastQty",
            "b": "bidPrice",
            "B": "bidQty",
            "a": "askPrice",
            "A": "askQty",
            "o": "openPrice",
            "h": "highPrice",
            "l": "lowPrice",
            "v": "volume",
            "q": "quoteVolume",
            "O": "openTime",
            "C": "closeTime",
            "F": "firstId",
            "L": "lastId",
            "n": "count",
        }
        return {"e": "24hrTicker", "E": self._calls.now_ms(), **{k: rest[v] for k, v in letters.items()}}

    async def _market(self, request: web.Request) -> web.WebSocketResponse:
        return await self._counter.hub.converse(request, self._subscribe)

    def _subscribe(self, listener: Listener, text: str) -> None:
        asked = json.loads(text)
        topics = [self._topic(stream) for stream in asked.get("params", [])]
        if None in topics:
            error = {"code": 2, "msg": "Invalid request: unknown stream"}
            listener.send({"error": error, "id": asked.get("id")})
            return
        act = self._counter.hub.follow if asked["method"] == "SUBSCRIBE" else self._counter.hub.leave
        for topic in topics:
            act(listener, str(topic))
        listener.send({"result": None, "id": asked["id"]})

    def _topic(self, stream: str) -> str | None:
        """Return "depth BTC/USDT" for "btcusdt@depth@100ms"; None for what is not told here."""
        name, _, kind = stream.partition("@")
        kind = kind.partition("@")[0]
        return f"{kind} {self._symbols[name]}" if kind in KINDS and name in self._symbols else None

    async def _api(self, request: web.Request) -> web.WebSocketResponse:
        return await self._counter.hub.converse(request, self._asked)

    def _asked(self, listener: Listener, text: str) -> None:
        asked = json.loads(text)
        reply: words.Payload = {"id": asked.get("id"), "status": 200}
        try:
            reply["result"] = self._result(listener, asked["method"], asked.get("params") or {})
        except BinanceError as error:
            reply |= {"status": error.status, "error": error.payload}
        listener.send(reply)

    def _result(self, listener: Listener, method: str, params: dict[str, Any]) -> object:
        texts = {key: _as_signed(value) for key, value in params.items()}
        if method not in OPEN_TO_ALL:
            self._check(dict(texts))
        if method == SUBSCRIBE:
            self._counter.hub.follow(listener, "user")
            return {"subscriptionId": 0}
        if method not in METHODS:
            raise BinanceError(-1000, f"Unknown method {method}.")
        return carried_out(self._calls, METHODS[method], texts)

    def _check(self, texts: dict[str, str]) -> None:
        """Judge key, signature (over the sorted parameters) and time of a request."""
        signature = texts.pop("signature", "")
        self._calls.check_key(texts.get("apiKey"))
        self._calls.check_signature("&".join(f"{k}={texts[k]}" for k in sorted(texts)), signature)
        self._calls.check_time(texts)


def _as_signed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
