"""A recorded market, brought into the book: its levels rest there, its trades hit them.

Recorded are totals of a level, never whose orders make them up. Here each increase joins the
queue as an order of its own, and each decrease takes orders out by a seeded draw, so that an
order of a client waits behind what was there before and moves up as others leave. A client's
own orders are real: recorded trades fill them, and they fill recorded ones.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.exchange.matching import Exchange
from tests.exchange.terms import ZERO, Ask, Force, Order, Side, State
from tests.exchange.venues import CROWD

PASSERS_BY = "passers-by"
PLENTY = Decimal(10**9)
SIDES = {"bids": Side.BUY, "b": Side.BUY, "asks": Side.SELL, "a": Side.SELL}
LONGEST_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded message of Binance spot and when it was received."""

    received_ns: int
    message: dict[str, Any]


def recorded_messages(path: Path) -> Iterator[Recorded]:
    """Yield the messages of a gzipped recording: nanoseconds, a space, JSON."""
    with gzip.open(path, "rt") as lines:
        for line in lines:
            received, _, text = line.partition(" ")
            if text.startswith("{"):
                message = json.loads(text)
                yield Recorded(int(received), message.get("data", message))


class Replay:
    """One pair's recorded market; the same messages and seed make the same book."""

    def __init__(self, exchange: Exchange, symbol: str, *, seed: int = 0) -> None:
        self._exchange, self._symbol = exchange, symbol
        self._chance = random.Random(seed)  # noqa: S311 - a draw that can be repeated
        self._orders: defaultdict[tuple[Side, Decimal], list[Order]] = defaultdict(list)
        listing = exchange.listing(symbol)
        for account in (CROWD, PASSERS_BY):
            for asset in (listing.base, listing.quote):
                exchange.vault.deposit(account, asset, PLENTY)

    def play(self, messages: Iterable[Recorded]) -> int:
        """Carry messages out at once; return how many."""
        return sum(1 for recorded in messages if self.step(recorded.message) is None)

    async def play_in_time(self, messages: Iterable[Recorded], *, speed: float) -> None:
        """Carry messages out as they came, `speed` times as fast; long pauses are cut short."""
        before: int | None = None
        for recorded in messages:
            pause_s = (recorded.received_ns - (before or recorded.received_ns)) / 1e9 / speed
            before = recorded.received_ns
            await asyncio.sleep(min(max(pause_s, 0.0), LONGEST_PAUSE_S))
            self.step(recorded.message)

    def step(self, message: dict[str, Any]) -> None:
        """Carry one message out: a snapshot, changed levels, or a trade; others are passed over."""
        if message.get("e") == "trade":
            self._trade(message)
        elif "lastUpdateId" in message or message.get("e") == "depthUpdate":
            for key in SIDES.keys() & message.keys():
                for price, quantity in message[key]:
                    self._set_level(SIDES[key], Decimal(price), Decimal(quantity))

    def _trade(self, message: dict[str, Any]) -> None:
        """Hit the book as the recorded taker did."""
        side = Side.SELL if message["m"] else Side.BUY
        self._place(PASSERS_BY, side, Decimal(message["q"]), Decimal(message["p"]), Force.IMMEDIATE_OR_CANCEL)

    def _set_level(self, side: Side, price: Decimal, target: Decimal) -> None:
        queue = self._orders[side, price]
        queue[:] = [order for order in map(self._now, queue) if order.state.is_live]
        total = sum((order.open_quantity for order in queue), ZERO)
        while total > target:
            order = queue.pop(self._chance.randrange(len(queue)))
            total -= order.open_quantity
            self._exchange.cancel(CROWD, order.id)
        if total < target:
            placed = self._place(CROWD, side, target - total, price, Force.GOOD_TILL_CANCELLED)
            if placed.state is not State.FILLED:
                queue.append(placed)
        if not queue:
            del self._orders[side, price]

    def _now(self, order: Order) -> Order:
        return self._exchange.order(CROWD, order_id=order.id)

    def _place(self, account: str, side: Side, quantity: Decimal, price: Decimal, force: Force) -> Order:
        ask = Ask(account, self._symbol, side, quantity, price, force, is_unfiltered=True)
        return self._exchange.place(ask)
