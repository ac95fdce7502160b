"""Coinbase's one socket: trades, levels, candles of five minutes; own orders with a signature."""

from __future__ import annotations

import json
from itertools import count

from aiohttp import web

from tests.exchange import coinbase_words as words
from tests.exchange.candles import MINUTE_MS, after_a_trade, candles
from tests.exchange.coinbase import CoinbaseCalls, CoinbaseError
from tests.exchange.coinbase_keys import UnsignedError, demand_subscriber
from tests.exchange.counter import Counter
from tests.exchange.streams import Listener
from tests.exchange.terms import DepthMoved, Happening, OrderTurned, Trade

PATH = "/coinbase/ws"
TOPICS = {"market_trades": "trade", "level2": "depth", "candles": "candles"}
CANDLE_MS = 5 * MINUTE_MS
MOST_CANDLES = 350


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
                self._tell_candle(happening.symbol)
            case DepthMoved():
                event = words.level_updates(happening, kind="update", now_ms=now)
                hub.tell(f"depth {happening.symbol}", self._message("l2_data", event))
            case OrderTurned() if happening.order.ask.account == self._counter.desk.account:
                event = {"type": "update", "orders": [words.user_order(happening.order)]}
                hub.tell("user", self._message("user", event))

    def _tell_candle(self, symbol: str) -> None:
        if self._counter.hub.has(f"candles {symbol}"):
            newest = after_a_trade(self._counter.exchange.trades[symbol], interval_ms=CANDLE_MS)[-1]
            event = words.candles(symbol, [newest], kind="update")
            self._counter.hub.tell(f"candles {symbol}", self._message("candles", event))

    def _message(self, channel: str, event: words.Payload) -> words.Payload:
        return words.message(channel, [event], sequence=next(self._sequence), now_ms=self._calls.now_ms())

    async def _converse(self, request: web.Request) -> web.WebSocketResponse:
        return await self._counter.hub.converse(request, self._asked)

    def _asked(self, listener: Listener, text: str) -> None:
        asked = json.loads(text)
        act = self._counter.hub.follow if asked["type"] == "subscribe" else self._counter.hub.leave
        channel = asked["channel"]
        try:
            if channel == "user":
                demand_subscriber(asked, self._counter.credentials, now_ms=self._calls.now_ms())
            symbols = [self._calls.symbol(product) for product in asked.get("product_ids", [])]
        except CoinbaseError as error:
            listener.send({"type": "error", "message": str(error.payload["message"])})
            return
        except UnsignedError:
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
            elif channel == "candles":
                listener.send(self._message("candles", self._all_candles(symbol)))

    def _live_orders(self) -> words.Payload:
        live = self._counter.desk.open_orders()
        return {"type": "snapshot", "orders": [words.user_order(order) for order in live]}

    def _whole_book(self, symbol: str) -> words.Payload:
        depth = self._counter.exchange.depth(symbol)
        whole = DepthMoved(symbol, depth.sequence, depth.bids, depth.asks)
        return words.level_updates(whole, kind="snapshot", now_ms=self._calls.now_ms())

    def _all_candles(self, symbol: str) -> words.Payload:
        found = candles(self._counter.exchange.trades[symbol], interval_ms=CANDLE_MS)
        return words.candles(symbol, found[-MOST_CANDLES:], kind="snapshot")
