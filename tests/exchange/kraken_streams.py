"""Kraken's sockets, version 2: trades, candles and books for all, executions and orders with a token."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from aiohttp import web

from tests.exchange import kraken_messages as messages
from tests.exchange import kraken_words as words
from tests.exchange.candles import MINUTE_MS, after_a_trade, candles
from tests.exchange.counter import Counter
from tests.exchange.kraken import TOKEN, KrakenCalls, KrakenError, carried_out
from tests.exchange.kraken_books import CHECKED_LEVELS, DEPTHS, BookView, checksum
from tests.exchange.streams import Listener
from tests.exchange.terms import DepthMoved, Happening, OrderTurned, State, Trade, instant

PUBLIC_PATH, PRIVATE_PATH = "/v2", "/private/v2"
MINUTES = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
MOST_CANDLES = 720
CHOICES = {"trade": (0,), "book": DEPTHS, "ohlc": MINUTES}


class KrakenStreams:
    """Tells followers what happens, and answers what they ask."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._calls = KrakenCalls(counter)
        self._sequence = count(1)
        self._views: dict[str, BookView] = {}
        counter.exchange.listeners.append(self._happened)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(path, self._converse) for path in (PUBLIC_PATH, PRIVATE_PATH)]

    def _happened(self, happening: Happening) -> None:
        hub = self._counter.hub
        match happening:
            case Trade():
                hub.tell(_topic("trade", happening.symbol, {}), messages.trade_message(happening))
                self._tell_candles(happening.symbol)
            case DepthMoved():
                self._tell_books(happening)
            case OrderTurned() if happening.order.ask.account == self._counter.desk.account:
                hub.tell("user", messages.execution(happening, sequence=next(self._sequence)))
                if happening.fill is not None and happening.order.state is State.FILLED:
                    hub.tell("user", messages.completion(happening.order, sequence=next(self._sequence)))

    def _tell_candles(self, symbol: str) -> None:
        trades = self._counter.exchange.trades[symbol]
        for minutes in MINUTES:
            topic = _topic("ohlc", symbol, {"interval": minutes})
            if self._counter.hub.has(topic):
                newest = after_a_trade(trades, interval_ms=minutes * MINUTE_MS)[-1:]
                told = messages.candle_message(symbol, newest, minutes=minutes, kind="update")
                self._counter.hub.tell(topic, told)

    def _tell_books(self, moved: DepthMoved) -> None:
        for most in DEPTHS:
            topic = _topic("book", moved.symbol, {"depth": most})
            if self._counter.hub.has(topic):
                now = self._counter.exchange.depth(moved.symbol, most)
                told = self._views[topic].changes(moved, now)
                if told.bids or told.asks:
                    self._counter.hub.tell(topic, self._book(told, "update"))

    def _book(self, moved: DepthMoved, kind: str) -> words.Payload:
        exchange = self._counter.exchange
        listing = exchange.listing(moved.symbol)
        crc = checksum(exchange.depth(moved.symbol, CHECKED_LEVELS), tick=listing.tick, lot=listing.lot)
        return messages.book_message(moved, listing, now_ms=self._calls.now_ms(), kind=kind, checksum=crc)

    async def _converse(self, request: web.Request) -> web.WebSocketResponse:
        return await self._counter.hub.converse(request, self._asked)

    def _asked(self, listener: Listener, text: str) -> None:
        asked = json.loads(text)
        method, params = asked["method"], asked.get("params", {})
        now = instant(self._calls.now_ms())
        reply = {"method": method, "req_id": asked.get("req_id"), "time_in": now, "time_out": now}
        if method == "ping":
            listener.send({**reply, "method": "pong"})
            return
        try:
            for result in self._results(listener, method, params):
                listener.send({**reply, "result": result, "success": True})
        except KrakenError as error:
            listener.send({**reply, "error": str(error), "success": False})
            return
        self._snapshots(listener, method, params)

    def _results(self, listener: Listener, method: str, params: dict[str, Any]) -> list[words.Payload]:
        match method:
            case "subscribe" | "unsubscribe":
                return self._subscribed(listener, method, params)
            case "add_order":
                self._check(params)
                return [self._added(params)]
            case "cancel_order":
                self._check(params)
                for txid in params.get("order_id", []):
                    carried_out(self._calls, KrakenCalls.cancel_order, {"txid": txid})
                for name in params.get("cl_ord_id", []):
                    carried_out(self._calls, KrakenCalls.cancel_order, {"cl_ord_id": name})
                return [{"order_id": txid} for txid in params.get("order_id", [])] or [{}]
        raise KrakenError("EGeneral:Invalid arguments")

    def _subscribed(self, listener: Listener, method: str, params: dict[str, Any]) -> list[words.Payload]:
        act = self._counter.hub.follow if method == "subscribe" else self._counter.hub.leave
        channel = params["channel"]
        if channel == "executions":
            self._check(params)
            act(listener, "user")
            return [{"channel": channel, "snapshot": True}]
        if channel not in CHOICES or _choice(channel, params) not in CHOICES[channel]:
            raise KrakenError("EGeneral:Invalid arguments")
        for symbol in params["symbol"]:
            if symbol not in self._counter.exchange.listings:
                raise KrakenError(f"Currency pair not supported {symbol}")
            act(listener, _topic(channel, symbol, params))
        return [{"channel": channel, "symbol": symbol, "snapshot": True} for symbol in params["symbol"]]

    def _snapshots(self, listener: Listener, method: str, params: dict[str, Any]) -> None:
        if method != "subscribe":
            return
        for symbol in params.get("symbol", []):
            match params["channel"]:
                case "book":
                    listener.send(self._whole_book(symbol, params))
                case "ohlc" if self._counter.exchange.trades[symbol]:
                    listener.send(self._all_candles(symbol, _choice("ohlc", params)))

    def _whole_book(self, symbol: str, params: dict[str, Any]) -> words.Payload:
        depth = self._counter.exchange.depth(symbol, _choice("book", params))
        self._views[_topic("book", symbol, params)] = BookView(depth)
        return self._book(DepthMoved(symbol, depth.sequence, depth.bids, depth.asks), "snapshot")

    def _all_candles(self, symbol: str, minutes: int) -> words.Payload:
        found = candles(self._counter.exchange.trades[symbol], interval_ms=minutes * MINUTE_MS)
        return messages.candle_message(symbol, found[-MOST_CANDLES:], minutes=minutes, kind="snapshot")

    def _added(self, params: dict[str, Any]) -> words.Payload:
        texts = {
            "pair": params["symbol"],
            "type": params["side"],
            "ordertype": params["order_type"],
            "volume": str(params["order_qty"]),
            "price": str(params.get("limit_price", "")),
            "timeinforce": params.get("time_in_force", "gtc"),
            "oflags": "post" if params.get("post_only") else "",
        }
        if "cl_ord_id" in params:
            texts["cl_ord_id"] = params["cl_ord_id"]
        told: Any = carried_out(self._calls, KrakenCalls.add_order, texts)
        return {"order_id": told["txid"][0], "cl_ord_id": params.get("cl_ord_id"), "order_userref": 0}

    def _check(self, params: dict[str, Any]) -> None:
        if params.get("token") != TOKEN:
            raise KrakenError("ESession:Invalid session")


def _choice(channel: str, params: dict[str, Any]) -> int:
    """Return how deep a book or how long a candle is asked for; 0 where there is no choice."""
    name, usual = {"book": ("depth", 10), "ohlc": ("interval", 1)}.get(channel, ("", 0))
    return int(params.get(name, usual))


def _topic(channel: str, symbol: str, params: dict[str, Any]) -> str:
    """Return "depth BTC/USD 10", "ohlc BTC/USD 1" or "trade BTC/USD"."""
    kind, choice = {"book": "depth"}.get(channel, channel), _choice(channel, params)
    return f"{kind} {symbol} {choice}" if choice else f"{kind} {symbol}"
