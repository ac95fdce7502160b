"""The venue of a simulation: what it did is the truth; what a process hears of it may be late or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from executor.venues.port import (
    NewOrder,
    OrderDeclinedError,
    OrderRef,
    OrderUnsentError,
    OutcomeUnknownError,
    Trade,
    VenueOrder,
    VenueProfile,
    VenueStatus,
)
from tests.executor.simulation.loop import Process
from tests.executor.simulation.weather import Bad, Death
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.intents import TimeInForce
from when_to_invest.quotes import Quote
from when_to_invest.venue_status import TradingStatus

if TYPE_CHECKING:
    from tests.executor.simulation.world import World

Result = TypeVar("Result")
ZERO = Decimal(0)
STALE_S = 1.5
"""Longest that the venue tells what is no more so."""
HIDDEN_S = 8.0
"""Longest that an order is taken and not shown."""
TIMEOUT_S = 2.0
VOLUME_A_SECOND = Decimal(20)


@dataclass(slots=True)
class Kept:
    """One order, as it is."""

    request: NewOrder
    number: int
    shown_at_s: float
    status: VenueStatus = VenueStatus.WORKING
    filled: Decimal = ZERO
    trades: list[Trade] = field(default_factory=list)
    told: list[tuple[float, VenueStatus, Decimal, int]] = field(default_factory=list)
    """What was so from when on."""

    @property
    def rest(self) -> Decimal:
        """Return what may still trade."""
        return self.request.quantity - self.filled if self.status is VenueStatus.WORKING else ZERO

    def as_told(self, status: VenueStatus, filled: Decimal) -> VenueOrder:
        """Return the order as a process hears of it."""
        name = self.request.client_order_id
        return VenueOrder(name, f"F{self.number}", status, filled, instrument=self.request.instrument)


class Venue:
    """Outlives every process."""

    def __init__(self, world: World, *, is_authoritative: bool) -> None:
        self.world = world
        self.is_authoritative = is_authoritative
        self.orders: dict[str, Kept] = {}
        self.under_way: dict[str, NewOrder] = {}
        """Requests that may still arrive."""
        self.submitted: set[str] = set()
        self.touched: set[str] = set()
        """Orders that changed since somebody looked."""
        self.is_deaf = False

    def arrive(self, order: NewOrder) -> VenueOrder:
        """Take an order, or raise."""
        name, world = order.client_order_id, self.world
        self.under_way.pop(name, None)
        self.touched.add(name)
        if name in self.orders:
            raise OutcomeUnknownError("that id exists already")
        if world.true_now() > order.valid_until:
            world.weather.note(Bad.TOO_LATE)
            raise OrderDeclinedError("its validity is over")
        if world.weather.strikes(Bad.DECLINED):
            raise OrderDeclinedError("told to decline")
        may_hide = not self.is_authoritative and world.weather.strikes(Bad.VISIBLE_LATE)
        late_s = world.dice.random() * HIDDEN_S if may_hide else 0.0
        kept = self.orders[name] = Kept(order, len(self.orders), world.loop.now_s + late_s)
        self._remember(kept)
        is_ioc = order.time_in_force is TimeInForce.IOC
        if world.dice.random() < (0.7 if is_ioc else 0.2):
            self.trade(name)
        if is_ioc:
            self.end(name, VenueStatus.CANCELLED)
        return kept.as_told(kept.status, kept.filled)

    def trade(self, name: str) -> None:
        """Execute the rest of a working order, or a part of it."""
        kept = self.orders[name]
        quantity = kept.rest
        if quantity > Decimal("0.01") and self.world.weather.strikes(Bad.PARTIAL_FILL):
            quantity = (quantity / 2).quantize(Decimal("0.001"))
        trade_id = f"{kept.number}/{len(kept.trades) + 1}"
        now, price_usd = self.world.true_now(), Decimal(100)
        kept.trades.append(Trade(trade_id, name, quantity, price_usd, Decimal("0.05"), now))
        kept.filled += quantity
        if kept.filled == kept.request.quantity:
            kept.status = VenueStatus.FILLED
        self._remember(kept)

    def end(self, name: str, status: VenueStatus) -> None:
        """End an order that works."""
        kept = self.orders.get(name)
        if kept is not None and kept.status is VenueStatus.WORKING:
            kept.status = status
            self._remember(kept)

    def working(self) -> list[str]:
        """Return what may still trade."""
        return [name for name, kept in self.orders.items() if kept.status is VenueStatus.WORKING]

    def _remember(self, kept: Kept) -> None:
        self.touched.add(kept.request.client_order_id)
        kept.told.append((self.world.loop.now_s, kept.status, kept.filled, len(kept.trades)))

    def seen(self, name: str) -> Kept | None:
        """Return an order if the venue shows it by now."""
        kept = self.orders.get(name)
        return kept if kept is not None and kept.shown_at_s <= self.world.loop.now_s else None


class VenuePort:
    """The venue as one process reaches it; implements `executor.venues.port.Venue`."""

    def __init__(self, venue: Venue, process: Process) -> None:
        self._venue = venue
        self._world = venue.world
        self._process = process

    @property
    def profile(self) -> VenueProfile:
        """See the port."""
        return VenueProfile("paper", self._world.mode, self._venue.is_authoritative)

    async def status(self) -> TradingStatus:
        """See the port."""
        return await self._asked(lambda: TradingStatus.OPEN)

    async def submit(self, order: NewOrder) -> VenueOrder:
        """See the port."""
        world, venue = self._world, self._venue
        world.strike(self._process, Death.BEFORE_SUBMIT)
        world.watch.at_the_door(order, self._process)
        world.say(f"{self._process.name} submits {order.client_order_id[:6]} {order.quantity}")
        venue.submitted.add(order.client_order_id)
        if world.weather.strikes(Bad.UNSENT):
            raise OrderUnsentError("told not to send")
        if venue.is_deaf or world.weather.strikes(Bad.REQUEST_LOST):
            await asyncio.sleep(TIMEOUT_S)
            raise OutcomeUnknownError("told to time out")
        venue.under_way[order.client_order_id] = order
        venue.touched.add(order.client_order_id)
        answer = await (self._taken_at_once(order) if venue.is_authoritative else self._sent(order))
        world.strike(self._process, Death.AFTER_SUBMIT)
        return answer

    async def find(self, order: OrderRef) -> VenueOrder | None:
        """See the port."""
        self._world.strike(self._process, Death.BEFORE_FIND)
        return await self._asked(lambda: self._found(order.client_order_id))

    async def trades(self, order: OrderRef) -> tuple[Trade, ...]:
        """See the port."""
        self._world.strike(self._process, Death.BEFORE_TRADES)
        return await self._asked(lambda: self._traded(order.client_order_id))

    async def cancel(self, order: OrderRef) -> None:
        """See the port."""
        world, name = self._world, order.client_order_id
        world.strike(self._process, Death.BEFORE_CANCEL)
        await self._asked(lambda: self._cancelled(name))
        world.strike(self._process, Death.AFTER_CANCEL)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """See the port."""
        venue = self._venue
        return await self._asked(
            lambda: tuple(found for name in venue.working() if (found := self._found(name)) is not None)
        )

    async def balances(self) -> Mapping[str, Decimal]:
        """See the port."""
        return await self._asked(dict)

    async def quote(self, instrument: str) -> Quote | None:
        """See the port."""
        return await self._asked(lambda: self._world.quote(instrument))

    async def traded_quantity(self, instrument: str, *, since: datetime) -> Decimal | None:
        """See the port; others trade all the time."""
        age_s = Decimal((self._world.true_now() - since).total_seconds())
        return await self._asked(lambda: max(age_s, ZERO) * VOLUME_A_SECOND)

    async def close(self) -> None:
        """Nothing is held open."""

    async def _taken_at_once(self, order: NewOrder) -> VenueOrder:
        """Take an order within the process: once it is dead nothing of it is under way."""
        try:
            await asyncio.sleep(self._world.loop.latency_s())
            self._process.demand_life()
            answer = self._venue.arrive(order)
        finally:
            self._venue.under_way.pop(order.client_order_id, None)
        return await self._answered(answer)

    async def _sent(self, order: NewOrder) -> VenueOrder:
        """Send an order over a network that knows nothing of the process's death."""
        world, loop = self._world, self._world.loop
        reply: asyncio.Future[VenueOrder] = loop.create_future()
        delay_s = loop.latency_s()
        if world.weather.strikes(Bad.DELAYED):
            delay_s = TIMEOUT_S + world.dice.random() * world.dice.choice((5.0, 30.0))
        loop.call_later(delay_s, self._arrives, order, reply, context=world.context)
        try:
            answer = await asyncio.wait_for(asyncio.shield(reply), TIMEOUT_S)
        except TimeoutError as error:
            raise OutcomeUnknownError("told to time out") from error
        return await self._answered(answer)

    def _arrives(self, order: NewOrder, reply: asyncio.Future[VenueOrder]) -> None:
        try:
            answer = self._venue.arrive(order)
        except (OrderDeclinedError, OutcomeUnknownError) as error:
            reply.set_exception(error)
            reply.exception()
        else:
            reply.set_result(answer)

    async def _answered(self, answer: VenueOrder) -> VenueOrder:
        weather = self._world.weather
        if weather.strikes(Bad.REPLY_LOST):
            await asyncio.sleep(TIMEOUT_S)
            raise OutcomeUnknownError("told to lose the answer")
        if weather.strikes(Bad.FOREIGN_ERROR):
            raise ZeroDivisionError
        await asyncio.sleep(self._world.loop.latency_s())
        if weather.strikes(Bad.WRONG_ANSWER):
            return VenueOrder("w0", "F", VenueStatus.WORKING, ZERO)
        return answer

    async def _asked(self, question: Callable[[], Result]) -> Result:
        self._process.demand_life()
        await asyncio.sleep(self._world.loop.latency_s())
        if self._venue.is_deaf:
            raise Fault(ErrorCode.VENUE_UNAVAILABLE, "told to be deaf", fix="wait")
        answer = question()
        await asyncio.sleep(self._world.loop.latency_s())
        return answer

    def _found(self, name: str) -> VenueOrder | None:
        kept = self._venue.seen(name)
        if kept is None:
            return None
        _, status, filled, _ = self._as_told(kept, Bad.WRONG_STATUS)
        return kept.as_told(status, filled)

    def _traded(self, name: str) -> tuple[Trade, ...]:
        kept = self._venue.seen(name)
        return tuple(kept.trades[: self._as_told(kept, Bad.TRADES_LATE)[3]]) if kept else ()

    def _as_told(self, kept: Kept, bad: Bad) -> tuple[float, VenueStatus, Decimal, int]:
        """Return what is so, or what was so a moment ago."""
        if len(kept.told) > 1 and self._world.loop.now_s - kept.told[-1][0] < STALE_S:
            return kept.told[-2] if self._world.weather.strikes(bad) else kept.told[-1]
        return kept.told[-1]

    def _cancelled(self, name: str) -> None:
        venue, weather = self._venue, self._world.weather
        if weather.strikes(Bad.CANCEL_REFUSED):
            raise Fault(ErrorCode.VENUE_UNAVAILABLE, "told to refuse", fix="wait")
        kept = venue.orders.get(name)
        if kept is not None and kept.rest and weather.strikes(Bad.FILL_RACED_CANCEL):
            venue.trade(name)
        venue.end(name, VenueStatus.CANCELLED)
        if weather.strikes(Bad.CANCEL_REPLY_LOST):
            raise Fault(ErrorCode.VENUE_UNAVAILABLE, "told to lose the answer", fix="wait")
