"""A venue that trades honestly and tells of it falsely: what it did is the truth, what it says is not."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from executor.venues.port import OrderRef, Trade, VenueOrder
from tests.fakes.fake_venue import FakeVenue


class Lie(StrEnum):
    """What is said of one order besides the truth."""

    REUSED_ID = "its trades carry ids that trades of another order of its instrument have"
    ONE_ID = "all its trades carry one id"
    TOLD_TWICE = "each trade is told twice"
    MISSING_TRADE = "the last trade is left out, though the status counts it"
    SHRUNK = "the status counts less than traded, after it had counted all"
    MOVED = "its last trade is told of another order, too"
    OTHER_QUANTITY = "a trade's quantity is another one at the second telling"
    NUMBERED_BY_SYMBOL = "trades are numbered from 1 in each instrument, which is no lie"


HARMLESS = frozenset({Lie.NUMBERED_BY_SYMBOL, Lie.TOLD_TWICE})
"""What every venue may do: nothing is lost and nothing is halted."""


@dataclass
class LyingVenue(FakeVenue):
    """Lies from one moment on, about some orders."""

    lies: dict[str, Lie] = field(default_factory=dict)
    tellings: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    async def find(self, order: OrderRef) -> VenueOrder | None:
        found = await super().find(order)
        if found is None or self.lies.get(order.client_order_id) is not Lie.SHRUNK:
            return found
        return replace(found, filled_quantity=found.filled_quantity / 2)

    async def trades(self, order: OrderRef) -> tuple[Trade, ...]:
        client_order_id, told = order.client_order_id, await super().trades(order)
        self.tellings[client_order_id] += 1
        lie = self.lies.get(client_order_id)
        told = self._told(lie, client_order_id, told) if told else told
        return (*told, *self._moved_to(client_order_id))

    def _told(self, lie: Lie | None, client_order_id: str, told: tuple[Trade, ...]) -> tuple[Trade, ...]:
        if lie is Lie.ONE_ID:
            return tuple(replace(trade, trade_id=client_order_id) for trade in told)
        if lie is Lie.TOLD_TWICE:
            return tuple(trade for trade in told for _ in range(2))
        if lie is Lie.MISSING_TRADE:
            return told[:-1]
        if lie is Lie.OTHER_QUANTITY and self.tellings[client_order_id] > 1:
            return (replace(told[0], quantity=told[0].quantity / 2), *told[1:])
        if lie in {Lie.REUSED_ID, Lie.NUMBERED_BY_SYMBOL}:
            of = self.requests[client_order_id].instrument
            own = lie is Lie.NUMBERED_BY_SYMBOL
            first = self._before(client_order_id, of) if own else 0
            return tuple(replace(trade, trade_id=str(first + n)) for n, trade in enumerate(told))
        return told

    def _before(self, client_order_id: str, instrument: str) -> int:
        """Return a number that no two orders of one instrument share."""
        names = [name for name, request in self.requests.items() if request.instrument == instrument]
        return names.index(client_order_id) * 1000

    def _moved_to(self, client_order_id: str) -> tuple[Trade, ...]:
        for name, lie in self.lies.items():
            done = self.executed.get(name, [])
            if lie is Lie.MOVED and name != client_order_id and done:
                return (replace(done[-1], client_order_id=client_order_id),)
        return ()

    def truth(self) -> dict[str, Decimal]:
        """Return what was executed of each order."""
        return {name: self.filled(name) for name in self.orders}

    def trade_some(self, dice: random.Random) -> None:
        """Execute a third or the rest of an order."""
        rests = {name: self.requests[name].quantity - self.filled(name) for name in self.orders}
        able = [name for name, rest in rests.items() if rest > 0 and self.is_working(name)]
        if able:
            name = dice.choice(able)
            rest = rests[name]
            self.trade(name, (rest / 3).quantize(Decimal("0.001")) if dice.random() < 0.5 else rest)

    def is_working(self, client_order_id: str) -> bool:
        return self.orders[client_order_id].status.value == "working"
