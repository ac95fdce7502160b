"""Kraken's sockets, version 2: trades and books for all, executions and orders with a token."""

from __future__ import annotations

import json
import zlib
from itertools import count
from typing import Any

from aiohttp import web

from tests.exchange import kraken_words as words
from tests.exchange.counter import Counter
from tests.exchange.kraken import TOKEN, KrakenCalls, KrakenError, carried_out
from tests.exchange.streams import Listener
from tests.exchange.terms import Depth, DepthMoved, Happening, OrderTurned, Trade

PUBLIC_PATH, PRIVATE_PATH = "/v2", "/private/v2"
TOPICS = {"trade": "trade", "book": "depth"}
CHECKED_LEVELS = 10


class KrakenStreams:
    """Tells followers what happens, and answers what they ask."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._calls = KrakenCalls(counter)
        self._sequence = count(1)
        counter.exchange.listeners.append(self._happened)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(path, self._converse) for path in (PUBLIC_PATH, PRIVATE_PATH)]

    def _happened(self, happening: Happening) -> None:
        hub = self._counter.hub
        match happening:
            case Trade():
                hub.tell(f"trade {happening.symbol}", words.trade_message(happening))
            case DepthMoved():
                hub.tell(f"depth {happening.symbol}", self._book(happening, "update"))
            case OrderTurned() if happening.order.ask.account == self._counter.desk.account:
                hub.tell("user", words.execution(happening, sequence=next(self._sequence)))

    def _book(self, moved: DepthMoved, kind: str) -> words.Payload:
        depth = self._counter.exchange.depth(moved.symbol, CHECKED_LEVELS)
        checksum = self._checksum(moved.symbol, depth)
        return words.book_message(moved, now_ms=self._calls.now_ms(), kind=kind, checksum=checksum)

    def _checksum(self, symbol: str, depth: Depth) -> int:
        """Return the CRC-32 of the ten best levels, digits without point and leading zeros."""
        listing = self._counter.exchange.listing(symbol)
        places = (words.decimals(listing.tick), words.decimals(listing.lot))
        digits = [
            f"{value:.{place}f}".replace(".", "").lstrip("0")
            for level in (*depth.asks, *depth.bids)
            for value, place in zip(level, places, strict=True)
        ]
        return zlib.crc32("".join(digits).encode())

    async def _converse(self, request: web.Request) -> web.WebSocketResponse:
        return await self._counter.hub.converse(request, self._asked)

    def _asked(self, listener: Listener, text: str) -> None:
        asked = json.loads(text)
        method, params = asked["method"], asked.get("params", {})
        now = words.instant(self._calls.now_ms())
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
        if channel not in TOPICS:
            raise KrakenError("EGeneral:Invalid arguments")
        for symbol in params["symbol"]:
            if symbol not in self._counter.exchange.listings:
                raise KrakenError(f"Currency pair not supported {symbol}")
            act(listener, f"{TOPICS[channel]} {symbol}")
        return [{"channel": channel, "symbol": symbol, "snapshot": True} for symbol in params["symbol"]]

    def _snapshots(self, listener: Listener, method: str, params: dict[str, Any]) -> None:
        if method != "subscribe" or params["channel"] != "book":
            return
        for symbol in params["symbol"]:
            depth = self._counter.exchange.depth(symbol, int(params.get("depth", CHECKED_LEVELS)))
            whole = DepthMoved(symbol, depth.sequence, depth.bids, depth.asks)
            listener.send(self._book(whole, "snapshot"))

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
