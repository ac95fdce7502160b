"""An order leaves at once or not at all, and a cancel waits for no clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from executor.identity import client_order_id
from executor.venues.ccxt.breaker import Breaker
from executor.venues.ccxt.desk import Desk, Pairs
from executor.venues.ccxt.dialects import Dialect
from executor.venues.ccxt.line import Line
from executor.venues.ccxt.pacing import Allowance, Pacing, Rate
from executor.venues.ccxt.venue import CcxtVenue
from executor.venues.port import NewOrder, OrderRef, Unsent, VenueProfile, send
from home.clock import FixedClock
from tests.executor.venues.exchange_contract import Ticking
from tests.fakes.fake_market import AFTER_MONDAY
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.values import Mode

AMPLE = Rate(1000.0, 1000.0)
MARKET = {
    "symbol": "BTC/USD",
    "base": "BTC",
    "quote": "USD",
    "spot": True,
    "active": True,
    "precision": {"amount": "0.001", "price": "0.01"},
    "limits": {},
}


class OnePlace(Dialect):
    """A venue that takes one request at a time."""

    places = 1


@dataclass
class Client:
    """Answers at once, but for what is named in `hangs`."""

    hangs: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    has_come: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    options: dict[str, Any] = field(default_factory=dict)

    def milliseconds(self) -> int:
        return 1_700_000_000_000

    async def _answer(self, method: str, answer: Any) -> Any:
        self.asked.append(method)
        if method in self.hangs:
            self.has_come.set()
            await self.goes_on.wait()
        return answer

    async def fetch_time(self) -> Any:
        return await self._answer("fetch_time", self.milliseconds())

    async def load_markets(self) -> Any:
        return await self._answer("load_markets", {"BTC/USD": MARKET})

    async def fetch_order_book(self, *_: Any) -> Any:
        return await self._answer("fetch_order_book", {"bids": [], "asks": []})

    async def create_order(self, *_: Any) -> Any:
        return await self._answer("create_order", {"id": "1"})

    async def cancel_order(self, *_: Any) -> Any:
        return await self._answer("cancel_order", {"id": "1"})


def venue_over(client: Client, time: Ticking, dialect: Dialect) -> CcxtVenue:
    line = Line(
        client,
        pacing=Pacing(Allowance(AMPLE, AMPLE), monotonic=time.monotonic, pause=time.pause),
        breaker=Breaker(monotonic=time.monotonic),
        dialect=dialect,
        monotonic=time.monotonic,
        session=None,
    )
    pairs = Pairs({"BTC-USD": "BTC/USD"}, frozenset({"USD"}))
    desk = Desk("market", line=line, dialect=dialect, pairs=pairs)
    profile = VenueProfile("market", Mode.PAPER, absence_is_authoritative=False)
    return CcxtVenue(desk, profile=profile, clock=FixedClock(AFTER_MONDAY))


ORDER = NewOrder(
    client_order_id=client_order_id("d1", slice_index=0, attempt=1),
    instrument="BTC-USD",
    side=Side.BUY,
    quantity=Decimal(1),
    limit_price_usd=Decimal(100),
    time_in_force=TimeInForce.DAY,
    valid_until=AFTER_MONDAY + timedelta(seconds=30),
)


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("hanging", ["fetch_order_book", "fetch_time"])
def test_an_order_that_had_to_wait_long_for_the_venue_never_leaves(hanging: str) -> None:
    """It was judged, and looked at for halts, before it began to wait."""

    async def play() -> None:
        client, time = Client(), Ticking()
        venue = venue_over(client, time, OnePlace())
        await venue.status()
        client.hangs.add(hanging)
        # The clock is measured anew.
        time.now += 400 if hanging == "fetch_time" else 0
        question = asyncio.create_task(venue.quote("BTC-USD"))
        await client.has_come.wait()
        sending = asyncio.create_task(send(venue, ORDER))
        await turns()
        time.now += 40
        client.goes_on.set()
        await question
        assert isinstance(await sending, Unsent)
        assert "create_order" not in client.asked

    asyncio.run(play())


def test_a_cancel_waits_for_no_measurement_of_a_clock() -> None:
    async def play() -> None:
        client, time = Client(), Ticking()
        venue = venue_over(client, time, Dialect())
        await venue.status()
        client.hangs.add("fetch_time")
        time.now += 400
        question = asyncio.create_task(venue.quote("BTC-USD"))
        await client.has_come.wait()
        cancelling = asyncio.create_task(venue.cancel(OrderRef(ORDER.client_order_id, "BTC-USD", "1")))
        await turns()
        has_left = "cancel_order" in client.asked
        client.goes_on.set()
        await asyncio.gather(question, cancelling)
        assert has_left

    asyncio.run(play())
