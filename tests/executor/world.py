"""Everything that outlives the executor's process, and a fresh executor on demand."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import timedelta

from executor.diary import Diary
from executor.judgement import Authority
from executor.log import Log
from executor.offload import Offload
from executor.probe import NoProbe, Probe
from executor.receiving import Receiving
from executor.service import Parts, Service
from home.clock import Clock, FixedClock
from ledger.journal import Journal
from ledger.live import LiveLedger
from ledger.queue import QueueReceiver
from policies.limits import HARD_LIMITS, Limits
from tests.executor.by_hand import ByHand
from tests.executor.gatehouse import Gatehouse, roll_of
from tests.fakes.fake_market import AFTER_MONDAY, FakeMarket
from tests.fakes.fake_venue import FakeVenue
from tests.fakes.memory_journal import MemoryJournal
from tests.fakes.memory_latch import MemoryLatch
from tests.fakes.memory_queue import MemoryQueue
from when_to_invest import events as ev
from when_to_invest.history import DecisionRecord
from when_to_invest.portfolio import AccountBook
from when_to_invest.values import Mode


class JumpingPatience:
    """Waits by moving the clock; `is_over` is the signal to stop."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock
        self.is_over = False
        self.waited_s = 0.0

    async def pause(self, seconds: float) -> None:
        self.waited_s += seconds
        self._clock.move_to(self._clock.now() + timedelta(seconds=seconds))


class Executor(ByHand):
    """A service whose steps are called one by one."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(Service(parts))
        self.brake = ByHand(self.real.brake)
        self._intake = ByHand(self.real._intake)


@dataclass
class World:
    """A home's durable things, in memory."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(AFTER_MONDAY))
    market: FakeMarket = field(default_factory=FakeMarket)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    venue: FakeVenue = field(default_factory=FakeVenue)
    latch: MemoryLatch = field(default_factory=MemoryLatch)
    log: io.StringIO = field(default_factory=io.StringIO)
    visibility_s: int = 30
    approvers: dict[str, str] = field(default_factory=dict)
    limits: Limits = HARD_LIMITS
    callers: dict[str, Limits] = field(default_factory=lambda: {"agent": HARD_LIMITS})

    def __post_init__(self) -> None:
        self.patience = JumpingPatience(self.clock)
        self.gate = Gatehouse(journal=self.journal, sender=self.queue, market=self.market, clock=self.clock)
        self.gate.fund()

    def executor(
        self,
        *,
        probe: Probe | None = None,
        journal: Journal | None = None,
        queue: QueueReceiver | None = None,
        clock: Clock | None = None,
        offload: Offload | None = None,
    ) -> Executor:
        """Return a fresh executor process, not yet started; it may see its ports through others."""
        return Executor(self.parts(probe=probe, journal=journal, queue=queue, clock=clock, offload=offload))

    def parts(
        self,
        *,
        probe: Probe | None = None,
        journal: Journal | None = None,
        queue: QueueReceiver | None = None,
        clock: Clock | None = None,
        offload: Offload | None = None,
    ) -> Parts:
        """Return what a fresh executor is made of."""
        roll = roll_of(self.approvers)
        authority = Authority(roll=roll, limits=self.limits, callers=self.callers)
        return Parts(
            diary=Diary(
                journal or self.journal,
                clock=clock or self.clock,
                mode=Mode.REPLAY,
                is_warranted=roll.follow(),
                demand_home=authority.demand_founders,
                offload=offload,
            ),
            queue=Receiving(queue or self.queue, self.queue, receives=offload),
            venue=self.venue,
            switch=self.latch,
            market=self.market,
            authority=authority,
            patience=self.patience,
            probe=probe or NoProbe(),
            log=Log(self.log),
            visibility_s=self.visibility_s,
            max_receives=self.queue.max_receives,
        )

    def run(self, *, rounds: int = 20, probe: Probe | None = None) -> Executor:
        """Start a fresh executor and let it work until nothing happens."""
        service = self.executor(probe=probe)
        service.start()
        for _ in range(rounds):
            if not service.step(wait_s=0):
                break
        return service

    def state(self) -> LiveLedger:
        """Fold the journal anew."""
        ledger = LiveLedger(self.journal)
        ledger.refresh()
        return ledger

    def decision(self, decision_id: str) -> DecisionRecord:
        return self.state().decisions[decision_id]

    @property
    def book(self) -> AccountBook:
        return self.state().book

    def events(self, *kinds: type[ev.Event]) -> list[ev.Event]:
        """Return the journal's events of these kinds."""
        return [item.event for item in self.journal.recorded if isinstance(item.event, kinds)]

    def working_order(self, decision_id: str) -> str:
        """Return the client order id of a decision's newest order."""
        return list(self.decision(decision_id).orders)[-1]
