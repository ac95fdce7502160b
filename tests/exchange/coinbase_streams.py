"""Coinbase's one socket: trades and levels for all, an account's orders with a signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from itertools import count
from typing import Any

from aiohttp import web

from tests.exchange import coinbase_words as words
from tests.exchange.coinbase import CoinbaseCalls, CoinbaseError
from tests.exchange.counter import Counter
from tests.exchange.streams import Listener
from tests.exchange.terms import DepthMoved, Happening, OrderTurned, Trade

PATH = "/coinbase/ws"
TOPICS = {"market_trades": "trade", "level2": "depth"}


class CoinbaseStreams:
    """Tells followers what happens."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._calls = CoinbaseCalls(counter)
        self._sequence = count()
        counter.exchange.listeners.append(self._happened)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self._converse)]

    def _happened(self, happening: Happening) -> None:
        hub, now = self._counter.hub, self._calls.now_ms()
        match happening:
            case Trade():
                event: words.Payload = {"type": "update", "trades": [words.public_trade(happening)]}
                hub.tell(f"trade {happening.symbol}", self._message("market_trades", event))
            case DepthMoved():
                event = words.level_updates(happening, kind="update", now_ms=now)
                hub.tell(f"depth {happening.symbol}", self._message("l2_data", event))
            case OrderTurned() if happening.order.ask.account == self._counter.desk.account:
                event = {"type": "update", "orders": [words.user_order(happening.order)]}
                hub.tell("user", self._message("user", event))

    def _message(self, channel: str, event: words.Payload) -> words.Payload:
        return words.message(channel, [event], sequence=next(self._sequence), now_ms=self._calls.now_ms())

    async def _converse(self, request: web.Request) -> web.WebSocketResponse:
        return await self._counter.hub.converse(request, self._asked)

    def _asked(self, listener: Listener, text: str) -> None:
        asked = json.loads(text)
        act = self._counter.hub.follow if asked["type"] == "subscribe" else self._counter.hub.leave
        try:
            symbols = [self._calls.symbol(product) for product in asked.get("product_ids", [])]
        except CoinbaseError as error:
            listener.send({"type": "error", "message": str(error.payload["message"])})
            return
        channel = asked["channel"]
        if channel == "user" and not self._is_signed(asked):
            listener.send({"type": "error", "message": "authentication failure"})
            return
        told: words.Payload = {"subscriptions": {channel: asked.get("product_ids", [])}}
        listener.send(self._message("subscriptions", told))
        if channel == "user":
            act(listener, "user")
            listener.send(self._message("user", self._live_orders()))
        for symbol in symbols if channel in TOPICS else ():
            act(listener, f"{TOPICS[channel]} {symbol}")
            if channel == "level2":
                listener.send(self._message("l2_data", self._whole_book(symbol)))

    def _live_orders(self) -> words.Payload:
        live = self._counter.desk.open_orders()
        return {"type": "snapshot", "orders": [words.user_order(order) for order in live]}

    def _whole_book(self, symbol: str) -> words.Payload:
        depth = self._counter.exchange.depth(symbol)
        whole = DepthMoved(symbol, depth.sequence, depth.bids, depth.asks)
        return words.level_updates(whole, kind="snapshot", now_ms=self._calls.now_ms())

    def _is_signed(self, asked: dict[str, Any]) -> bool:
        keys = self._counter.credentials
        signed = asked.get("timestamp", "") + asked["channel"] + ",".join(asked.get("product_ids", []))
        expected = hmac.new(keys.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        return asked.get("api_key") == keys.key and hmac.compare_digest(expected, asked.get("signature", ""))
