"""One pair's resting orders in price-time priority. Pure; it knows neither money nor accounts."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from tests.exchange.terms import Order, Side

Levels = tuple[tuple[Decimal, Decimal], ...]


class Ladder:
    """One side: prices from best to worst, at each the orders in the order they came."""

    def __init__(self, side: Side) -> None:
        self._sign = -1 if side is Side.BUY else 1
        self._keys: list[Decimal] = []
        self._levels: dict[Decimal, dict[int, Order]] = {}

    def add(self, order: Order, price: Decimal) -> None:
        key = self._sign * price
        if key not in self._levels:
            insort(self._keys, key)
            self._levels[key] = {}
        self._levels[key][order.id] = order

    def remove(self, order: Order, price: Decimal) -> None:
        key = self._sign * price
        del self._levels[key][order.id]
        if not self._levels[key]:
            del self._levels[key]
            del self._keys[bisect_left(self._keys, key)]

    def has(self, order: Order, price: Decimal) -> bool:
        return order.id in self._levels.get(self._sign * price, {})

    def quantity_at(self, price: Decimal) -> Decimal:
        return sum((o.open_quantity for o in self._levels.get(self._sign * price, {}).values()), Decimal(0))

    def reachable(self, limit: Decimal | None) -> Iterator[tuple[Decimal, Order]]:
        """Yield (price, order) in priority, down to the limit (None: all). Do not change it meanwhile."""
        for key in self._keys:
            if limit is not None and key > self._sign * limit:
                return
            for order in self._levels[key].values():
                yield self._sign * key, order

    def best(self) -> Decimal | None:
        return self._sign * self._keys[0] if self._keys else None

    def depth(self, most: int) -> Levels:
        prices = (self._sign * key for key in islice(self._keys, most))
        return tuple((price, self.quantity_at(price)) for price in prices)


class Book:
    """Both sides of one pair, and a number that grows with every change that is told."""

    def __init__(self) -> None:
        self.sequence = 0
        self._ladders = {side: Ladder(side) for side in Side}
        self._touched: dict[Side, set[Decimal]] = {side: set() for side in Side}

    def side(self, side: Side) -> Ladder:
        return self._ladders[side]

    def touch(self, side: Side, price: Decimal) -> None:
        """Note that the quantity at a price changed."""
        self._touched[side].add(price)

    def add(self, order: Order, price: Decimal) -> None:
        self._ladders[order.ask.side].add(order, price)
        self.touch(order.ask.side, price)

    def remove(self, order: Order, price: Decimal) -> None:
        self._ladders[order.ask.side].remove(order, price)
        self.touch(order.ask.side, price)

    def changes(self) -> tuple[Levels, Levels] | None:
        """Return changed (bids, asks) since the last call and count on; None when nothing changed."""
        if not any(self._touched.values()):
            return None
        self.sequence += 1
        bids, asks = (self._drained(side) for side in (Side.BUY, Side.SELL))
        return bids, asks

    def _drained(self, side: Side) -> Levels:
        prices = sorted(self._touched[side], reverse=side is Side.BUY)
        self._touched[side].clear()
        return tuple((price, self._ladders[side].quantity_at(price)) for price in prices)
