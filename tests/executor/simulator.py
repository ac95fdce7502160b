"""A seeded world in which everything goes wrong: crashes, duplicates, reordering, lost answers.

Every call that leaves the executor (journal, queue, venue) and every probe point may be
where the process dies, with all that it does side by side. After each step the invariants are
checked against the venue's own truth; a failing seed prints its trace and replays exactly.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from executor.offload import Result
from executor.probe import Point
from executor.venues.port import NewOrder, OrderRef, Trade, VenueOrder, VenueStatus
from ledger.journal import GENESIS, Head, Recorded, link_hash
from ledger.queue import ReceivedMessage
from tests.executor.world import Executor, World
from tests.fakes.fake_market import SPX, FakeMarket, quiet_week
from tests.fakes.fake_venue import FakeVenue, Mishap
from tests.fakes.memory_journal import MemoryJournal
from tests.fakes.memory_queue import MemoryQueue
from when_to_invest import events as ev
from when_to_invest.breakers import SYSTEM, TradingState
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord, DecisionState
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.orders import OrderState
from when_to_invest.portfolio import fold

CRASH_ODDS = 0.02
MOST_PROPOSALS = 12
INSTRUMENTS = ("SPX", "IXIC")
"""Two message groups, which are worked side by side."""
MAY_LIVE = frozenset(
    {
        OrderState.SEND_INTENDED,
        OrderState.UNKNOWN,
        OrderState.ACKNOWLEDGED,
        OrderState.PARTLY_FILLED,
        OrderState.QUARANTINED,
    }
)


class DiedError(BaseException):
    """Stands for SIGKILL: nothing in the executor may catch it."""


@dataclass
class Doom:
    """Decides where the process dies."""

    dice: random.Random
    is_armed: bool = False
    has_struck: bool = False
    """The process is dead: nothing of it does anything any more."""
    deaths: dict[str, int] = field(default_factory=dict)

    def strike(self, place: str) -> None:
        if self.is_armed and self.has_struck:
            raise DiedError("dead already")
        if self.is_armed and self.dice.random() < CRASH_ODDS:
            self.has_struck = True
            self.deaths[place] = self.deaths.get(place, 0) + 1
            raise DiedError(place)

    def reached(self, point: Point) -> None:
        self.strike(point.value)

    async def let_others_go_first(self) -> None:
        """Give the other groups a few turns, or none."""
        for _ in range(self.dice.randrange(4)):
            await asyncio.sleep(0)

    async def run(self, call: Callable[[], Result]) -> Result:
        """Run what blocks, sooner or later: an `Offload`."""
        await self.let_others_go_first()
        return call()


@dataclass
class DoomedJournal:
    """The journal as the executor holds it: it may die before or after any append."""

    real: MemoryJournal
    doom: Doom
    interfere: Callable[[], None]

    def head(self) -> Head:
        return self.real.head()

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        return self.real.read(after=after)

    def pick(self, sequences: Sequence[int]) -> Iterator[Recorded]:
        return self.real.pick(sequences)

    def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
        self.doom.strike("before an append")
        self.interfere()
        head = self.real.append(events, expected=expected)
        self.doom.strike("after an append")
        return head

    def close(self) -> None:
        self.real.close()


@dataclass
class DoomedQueue:
    """The queue as the executor holds it."""

    real: MemoryQueue
    doom: Doom

    def receive(self, *, max_messages: int, wait_s: float) -> tuple[ReceivedMessage, ...]:
        taken = self.real.receive(max_messages=max_messages, wait_s=wait_s)
        self.doom.strike("after a receive")
        return taken

    def delete(self, receipt: str) -> None:
        self.doom.strike("before a delete")
        self.real.delete(receipt)
        self.doom.strike("after a delete")

    def extend(self, receipt: str, *, visibility_s: int) -> None:
        self.real.extend(receipt, visibility_s=visibility_s)

    def is_empty(self) -> bool:
        return self.real.is_empty()


class DoomedVenue(FakeVenue):
    """The venue as the executor holds it, with a witness at its door."""

    def prepare(self, doom: Doom, journal: MemoryJournal) -> None:
        self._doom = doom
        self._journal = journal

    async def submit(self, order: NewOrder) -> VenueOrder:
        await self._doom.let_others_go_first()
        self._doom.strike("before a submit")
        self._witness(order)
        answer = await super().submit(order)
        await self._doom.let_others_go_first()
        self._doom.strike("after a submit")
        return answer

    async def find(self, order: OrderRef) -> VenueOrder | None:
        await self._doom.let_others_go_first()
        self._doom.strike("before a find")
        return await super().find(order)

    async def trades(self, order: OrderRef) -> tuple[Trade, ...]:
        await self._doom.let_others_go_first()
        self._doom.strike("before trades")
        return await super().trades(order)

    def _witness(self, order: NewOrder) -> None:
        """No order without its intention in the journal; no second while a first may live."""
        from when_to_invest.history import decisions

        records = decisions(item.event for item in self._journal.recorded).values()
        (record,) = [item for item in records if order.client_order_id in item.orders]
        assert order.client_order_id not in self.submits, "an id was sent twice"
        assert record.orders[order.client_order_id].state is OrderState.SEND_INTENDED
        assert record.envelope is not None
        assert record.verdict is not None
        assert record.verdict.judge is ev.Judge.EXECUTOR
        assert record.verdict.outcome is ev.Outcome.APPROVED
        for earlier, known in record.orders.items():
            if earlier != order.client_order_id:
                assert known.state is OrderState.ABSENT, f"{earlier} is {known.state}"
                assert earlier not in self.orders, "an order was called absent and exists"


@dataclass(frozen=True)
class Act:
    """Something that can happen, and how often it does."""

    name: str
    do: Callable[[], None]
    odds: int


class Simulation:
    """One seed's world and its course."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - a seeded schedule, no secret
        self.doom = Doom(self.dice)
        venue = DoomedVenue(absence_is_authoritative=self.dice.random() < 0.5)
        instruments = tuple(SPX.model_copy(update={"id": name}) for name in INSTRUMENTS)
        market = FakeMarket(instruments=instruments, bars=dict.fromkeys(INSTRUMENTS, quiet_week()))
        self.world = World(venue=venue, market=market)
        venue.prepare(self.doom, self.world.journal)
        self.trace: list[str] = []
        self.envelopes: list[Envelope] = []
        self.service: Executor | None = None
        self.former: list[Executor] = []
        self._is_interfering = False
        self.proposals = 0
        self._has_started = False

    def run(self, steps: int) -> None:
        """Take `steps` random steps, then let everything settle; check after each."""
        for _ in range(steps):
            acts = self._acts()
            chosen = self.dice.choices(acts, weights=[act.odds for act in acts])[0]
            self.trace.append(chosen.name)
            chosen.do()
            self.check()
        self.settle()

    def _acts(self) -> tuple[Act, ...]:
        return (
            Act("work", self.work, 12),
            Act("propose", self.propose, 4),
            Act("trade", self.trade, 4),
            Act("repeat a message", self.repeat, 2),
            Act("forge a message", self.forge, 1),
            Act("reorder", self.reorder, 1),
            Act("plan a mishap", self.plan, 2),
            Act("cancel", self.cancel, 1),
            Act("expire an order", self.expire, 1),
            Act("time passes", self.wait, 3),
            Act("the venue goes deaf", self.deafen, 1),
            Act("a zombie wakes", self.wake, 1),
            Act("restart", self.restart, 1),
        )

    # What the executor does.

    def work(self) -> None:
        """Let the executor, a fresh one if the last died, do one round, with death about."""
        self.doom.is_armed = True
        try:
            if self.service is None:
                self.service = self._fresh()
            if not self._has_started:
                self.service.start()
                self._has_started = True
            self.service.step(wait_s=0)
        except DiedError as death:
            self.trace.append(f"  died at {death}")
            self._bury()
        except Fault as fault:
            self.trace.append(f"  {fault.code.value}")
            if not fault.is_retryable:
                raise
        finally:
            self.doom.is_armed = False

    def restart(self) -> None:
        self._bury()

    def wake(self) -> None:
        """An executor that was thought dead goes on; it must notice and send nothing."""
        if not self.former or not self._has_started:
            return
        before = len(self.world.venue.submits)
        with pytest.raises(Fault) as caught:
            self.dice.choice(self.former).step(wait_s=0)
        assert caught.value.code is ErrorCode.ALREADY_RUNNING, caught.value.code
        assert len(self.world.venue.submits) == before

    def _fresh(self) -> Executor:
        journal = DoomedJournal(self.world.journal, self.doom, self._interfere)
        return self.world.executor(
            probe=self.doom,
            journal=journal,
            queue=DoomedQueue(self.world.queue, self.doom),
            offload=self.doom,
        )

    def _bury(self) -> None:
        if self.service is not None:
            self.former.append(self.service)
        self.service = None
        self._has_started = False
        self.doom.has_struck = False

    def _interfere(self) -> None:
        """Now and then the gate writes just before the executor does."""
        if self.doom.is_armed and not self._is_interfering and self.dice.random() < 0.05:
            self._is_interfering = True
            self.propose()
            self._is_interfering = False

    # What the world does.

    def propose(self) -> None:
        self.proposals += 1
        number = self.proposals
        if number > MOST_PROPOSALS:
            return
        instrument = INSTRUMENTS[number % len(INSTRUMENTS)]
        envelope = self.world.gate.sealed_if_approved(
            number, quantity=Decimal(5) + number, instrument=instrument
        )
        if envelope is None:
            self.trace.append("  not approved")
            return
        self.envelopes.append(envelope)
        if self.dice.random() < 0.9:
            self.world.gate.queue(envelope)

    def repeat(self) -> None:
        if self.envelopes:
            self.world.gate.queue(self.dice.choice(self.envelopes))

    def forge(self) -> None:
        if self.envelopes:
            envelope = self.dice.choice(self.envelopes)
            body = envelope.canonical().decode()
            self.world.gate.queue(envelope, body=body.replace('"quantity":"', '"quantity":"1'))

    def reorder(self) -> None:
        if self.world.queue.held:
            self.world.queue.shuffle_first_to_last()

    def plan(self) -> None:
        self.world.venue.plan.append(self.dice.choice(list(Mishap)))

    def cancel(self) -> None:
        if self.envelopes:
            decision_id = self.dice.choice(self.envelopes).content.decision_id
            wanted = ev.CancelRequested(
                at=self.world.clock.now(), mode=self.world.gate.mode, decision_id=decision_id, caller="agent"
            )
            self.world.journal.append([wanted])

    def trade(self) -> None:
        working = self._working()
        if working:
            order = self.dice.choice(working)
            rest = self.world.venue.requests[order].quantity - self.world.venue.filled(order)
            self.world.venue.trade(order, rest if self.dice.random() < 0.6 else rest / 2)

    def expire(self) -> None:
        working = self._working()
        if working:
            self.world.venue.expire(self.dice.choice(working))

    def wait(self) -> None:
        seconds = self.dice.choice([1, 20, 31, 400])
        self.world.queue.now_s += seconds
        self.world.clock.move_to(self.world.clock.now() + timedelta(seconds=seconds))

    def deafen(self) -> None:
        self.world.venue.is_deaf = not self.world.venue.is_deaf

    def _working(self) -> list[str]:
        orders = self.world.venue.orders.values()
        return [order.client_order_id for order in orders if order.status is VenueStatus.WORKING]

    # What must hold.

    def check(self) -> None:
        """Check the invariants of the architecture on the present state."""
        records = self.world.state().decisions
        for record in records.values():
            self._check_decision(record)
        self._check_journal()

    def _check_decision(self, record: DecisionRecord) -> None:
        venue = self.world.venue
        executed = sum((venue.filled(name) for name in record.orders), Decimal(0))
        assert record.filled_quantity <= executed <= record.authorised_quantity
        committed = sum((self._committed(name) for name in record.orders), Decimal(0))
        assert committed <= record.authorised_quantity, "two orders of one decision could fill"
        may_live = [order for order in record.orders.values() if order.state in MAY_LIVE]
        exposed = sum((order.sent.quantity - order.filled_quantity for order in may_live), Decimal(0))
        reservation = fold(item.event for item in self.world.journal.recorded).reservations.get(
            record.decision_id
        )
        reserved = reservation.quantity_open if reservation else Decimal(0)
        assert reserved >= exposed, "an order that may be live is not reserved"
        trades = [(fill.venue, fill.trade_id) for fill in record.fills]
        assert len(trades) == len(set(trades))

    def _committed(self, name: str) -> Decimal:
        order = self.world.venue.orders.get(name)
        if order is None:
            return Decimal(0)
        if order.status is VenueStatus.WORKING:
            return self.world.venue.requests[name].quantity
        return order.filled_quantity

    def _check_journal(self) -> None:
        previous = GENESIS
        for item in self.world.journal.recorded:
            canonical = item.event.canonical()
            assert item.previous_hash == previous
            assert item.hash == link_hash(
                sequence=item.sequence, previous_hash=previous, event_canonical=canonical
            )
            previous = item.hash

    def settle(self) -> None:
        """No more trouble: everything must end decided, with journal and venue agreeing."""
        self.trace.append("settle")
        self.world.venue.is_deaf = False
        self.world.venue.plan.clear()
        self._bury()
        for _ in range(4):
            self.world.queue.now_s += 60
            self.world.run(rounds=200)
        self.world.clock.move_to(self.world.clock.now() + timedelta(seconds=901))
        self.world.run(rounds=200)
        self.check()
        assert self.world.queue.is_empty()
        self._assert_decided()

    def _assert_may_stay_open(self, record: DecisionRecord) -> None:
        """No purchase stays open where a quarantine, or anything else, lets positions only shrink."""
        intent, trading = record.intent, self.world.book.trading_states
        assert isinstance(intent, OrderIntent)
        scopes = (
            SYSTEM,
            f"account:{intent.account}",
            f"venue:{intent.venue}",
            f"instrument:{intent.instrument}",
        )
        states = {trading[scope] for scope in scopes if scope in trading}
        allowed = {TradingState.REDUCING} if intent.side is Side.SELL else set()
        assert states <= allowed, f"{record.decision_id} stays open while trading is {states}"

    def _assert_decided(self) -> None:
        venue = self.world.venue
        for record in self.world.state().decisions.values():
            executed = sum((venue.filled(name) for name in record.orders), Decimal(0))
            assert record.filled_quantity == executed, f"{record.decision_id} lost a fill"
            working = [name for name in record.orders if name in self._working()]
            if working:
                self._assert_may_stay_open(record)
                assert record.state in {DecisionState.WORKING, DecisionState.PARTLY_FILLED}
            elif record.envelope is not None and record.state is not DecisionState.QUARANTINED:
                assert record.state in {
                    DecisionState.FILLED,
                    DecisionState.CANCELLED,
                    DecisionState.EXPIRED,
                    DecisionState.REJECTED,
                }, record.state
