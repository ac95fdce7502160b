"""Everything that outlives a process, and processes on demand: each the whole executor, on its ports."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from contextvars import copy_context
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from executor import judgement
from executor.diary import Diary
from executor.judgement import Authority
from executor.log import Log
from executor.main import keep_working
from executor.patience import SignalPatience
from executor.probe import Point
from executor.receiving import Receiving
from executor.service import Parts, Service
from home.clock import WallClock
from policies.limits import HARD_LIMITS
from policies.roll import Roll
from signing.eip712 import recover_address, typed_digest
from tests.executor.gatehouse import seal_signer
from tests.executor.simulation.gate import INSTRUMENTS, Gate
from tests.executor.simulation.loop import DiedError, Process, SeededLoop
from tests.executor.simulation.ports import (
    JournalPort,
    LatchPort,
    PollingThread,
    QueuePort,
    SharedJournal,
    SharedQueue,
    VirtualThread,
)
from tests.executor.simulation.venue import Venue, VenuePort
from tests.executor.simulation.watch import ViolationError, Watch
from tests.executor.simulation.weather import Bad, Weather
from tests.fakes.fake_market import AFTER_MONDAY, SPX, FakeMarket, quiet_week
from tests.fakes.memory_latch import MemoryLatch
from when_to_invest import events as ev
from when_to_invest.breakers import SYSTEM, Halt, TradingState
from when_to_invest.domains import TEST_CHAIN_ID
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.keyholders import Anchors
from when_to_invest.quotes import Quote
from when_to_invest.values import Mode

VISIBILITY_S = 30
SCOPES = (SYSTEM, "account:main", "venue:paper", "instrument:SPX", "instrument:IXIC")
MOST_STEPS = 40_000
SPREAD_USD = Decimal("0.01")
recovered = lru_cache(maxsize=4096)(recover_address)
"""Recovering a signer is pure and slow; every process of a schedule asks about the same few seals."""


class SlowPatience(SignalPatience):
    """A machine on which every pause takes longer."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    async def pause(self, seconds: float) -> None:
        await super().pause(seconds * self._world.slowness)


class WorldClock:
    """The true time, for everybody who is no executor."""

    def __init__(self, loop: SeededLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return AFTER_MONDAY + timedelta(seconds=round(self._loop.now_s, 6))


class _Lines(io.TextIOBase):
    """Takes a process's log into the trace."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process

    def write(self, text: str) -> int:
        said = json.loads(text)
        told = {key: value for key, value in said.items() if key not in {"process", "at", "event"}}
        self._world.say(f"{self._process.name} {said['event']} {told or ''}")
        return len(text)


class World:
    """One schedule's durable things."""

    mode = Mode.PAPER

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - a seeded schedule, no secret
        self.loop = SeededLoop(self.dice)
        self.loop.after_step = self._look
        self.loop.on_death = self._died
        self.loop.set_exception_handler(lambda loop, context: None)
        self.context = copy_context()
        self.weather = Weather(self.dice)
        self.trace: list[str] = []
        self.deaths: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.journal = SharedJournal()
        self.queue = SharedQueue(self.loop.time)
        self.latch = MemoryLatch()
        self.clock = WorldClock(self.loop)
        self.market = FakeMarket(
            instruments=tuple(SPX.model_copy(update={"id": name}) for name in INSTRUMENTS),
            bars=dict.fromkeys(INSTRUMENTS, quiet_week()),
        )
        self.clock_offset_s = 0.0
        self.is_queue_down = False
        self.plans_share = self.dice.choice((0.0, 0.0, 0.6))
        """How many of the proposals carry a plan."""
        self.slowness = self.dice.choice((1.0, 2.0, 4.0))
        self.processes: list[Process] = []
        self.gate = Gate(self)
        self.gate.fund()
        self.venue = Venue(self, is_authoritative=self.dice.random() < 0.4)
        self.watch = Watch(self)

    def say(self, what: str) -> None:
        """Take a line into the trace."""
        self.trace.append(f"{self.loop.now_s:10.6f} {self.loop.steps:6} {what}")

    def true_now(self) -> datetime:
        """Return the instant that it is."""
        return self.clock.now()

    def quote(self, instrument: str) -> Quote | None:
        """Return what the venue shows: a price that hardly moves."""
        middle_usd, some = Decimal(100) + Decimal(self.loop.steps % 7) / 100, Decimal(50)
        return Quote(
            instrument, self.true_now(), middle_usd - SPREAD_USD, some, middle_usd + SPREAD_USD, some
        )

    def strike(self, process: Process, place: str, *, odds: float | None = None) -> None:
        """Perhaps kill a process, in the middle of what it does."""
        process.demand_life()
        if self.weather.kills(odds):
            self.loop.kill(process, str(place))
            raise DiedError(place)

    def interfere(self) -> None:
        """Write to the journal as somebody else, right before the executor does."""
        if self.gate.envelopes and self.dice.random() < 0.5:
            self.gate.cancel_any()
        else:
            self.gate.propose_any()

    def intended(self, process: Process) -> None:
        """Let something happen right after an intention is durable, before its order leaves."""
        if self.weather.strikes(Bad.HALTED_BETWEEN):
            self.halt_somewhere()
        if not self.venue.is_authoritative and self.weather.strikes(Bad.STOPPED_BETWEEN):
            self.say(f"{process.name} stands still")
            process.is_stopped = True

    def halt_somewhere(self) -> None:
        """Halt something, by a latch or in the journal."""
        scope = self.dice.choice(SCOPES)
        state = self.dice.choice((TradingState.HALTED, TradingState.REDUCING))
        if self.dice.random() < 0.5:
            self.gate.halt(scope, state)
            return
        self.weather.note(Bad.LATCH_DROPPED)
        self.say(f"latch {scope} {state.value}")
        self.latch.drop(Halt(scope, state, self.true_now(), "operator", "told to"))

    def start(self) -> Process:
        """Start a process."""
        process = Process(f"p{len(self.processes)}", len(self.processes))
        self.processes.append(process)
        self.say(f"{process.name} starts")
        self.loop.begin(process, self._live(process))
        return process

    def alive(self) -> list[Process]:
        """Return the processes that have not ended, the stopped ones included."""
        return [process for process in self.processes if not process.is_over]

    async def _live(self, process: Process) -> None:
        """Be one executor, from its first line to its last."""
        patience = SlowPatience(self)
        try:
            process.built_at = self.journal.head().sequence
            parts = self._parts(process, patience)
            with patience.until_signalled():
                await keep_working(Service(parts), parts=parts, until_idle=False)
            process.ended_by = "asked to"
        except Fault as fault:
            process.ended_by = fault.code.value
            if fault.code is ErrorCode.INTERNAL:
                self._violated(f"{process.name} met a defect: {fault.message}; {fault.__cause__!r}")
        self.ends[process.ended_by] += 1
        self.say(f"{process.name} ends: {process.ended_by}")

    def _parts(self, process: Process, patience: SignalPatience) -> Parts:
        roll, queue = _roll(), QueuePort(self, process)
        authority = Authority(roll=roll, limits=HARD_LIMITS, callers={"agent": HARD_LIMITS})
        admits = roll.follow()

        def is_warranted(event: ev.Event, home_id: str) -> bool:
            return admits(event, home_id) or isinstance(event, ev.TradingResumed)

        return Parts(
            diary=Diary(
                JournalPort(self, process),
                clock=WallClock(wall=self._wall, steady_s=self.loop.time),
                mode=self.mode,
                is_warranted=is_warranted,
                demand_home=authority.demand_founders,
                offload=VirtualThread(),
            ),
            queue=Receiving(
                queue,
                queue,
                receives=PollingThread(lambda: self.dice.choice((0.3, 1.0))),
                answers=VirtualThread(),
            ),
            venue=VenuePort(self.venue, process),
            switch=LatchPort(self, process),
            market=self.market,
            authority=authority,
            patience=patience,
            probe=_Probe(self, process),
            log=Log(_Lines(self, process)),
            visibility_s=VISIBILITY_S,
            max_receives=self.queue.max_receives,
        )

    def _wall(self) -> datetime:
        return self.true_now() + timedelta(seconds=self.clock_offset_s)

    def _look(self) -> None:
        self.watch.look()
        if self.loop.steps > MOST_STEPS:
            self._violated("it does not come to rest")
        if self.watch.violation is not None:
            self.loop.stop()

    def _died(self, process: Process, place: str) -> None:
        self.deaths[place] += 1
        self.say(f"{process.name} dies {place}")

    def _violated(self, what: str) -> None:
        self.watch.violation = self.watch.violation or ViolationError(what)


class _Probe:
    """May end the process at the executor's named points."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process

    def reached(self, point: Point) -> None:
        self._world.strike(self._process, f"point {point.value}")


def _roll() -> Roll:
    return Roll(
        Anchors(
            mode=World.mode,
            chain_id=TEST_CHAIN_ID,
            quorum=2,
            approvers={},
            seal_addresses=frozenset({_seal_address()}),
        ),
        typed_digest,
        recovered,
    )


@lru_cache(maxsize=1)
def _seal_address() -> str:
    return seal_signer().address


def with_cached_seals(module: Any = judgement) -> None:
    """Let the judgement recover each signer once."""
    module.recover_address = recovered
