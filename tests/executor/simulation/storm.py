"""One seed's course: a storm of acts beside the executor's own steps, then calm until all has settled."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from executor.venues.port import VenueStatus
from tests.executor.simulation.loop import Process
from tests.executor.simulation.weather import Bad
from tests.executor.simulation.world import World
from when_to_invest.orders import UNRESOLVED

ACTS = 45
PAUSES_S = (0.0, 0.0, 0.02, 0.1, 0.3, 1.0)
MOST_PROPOSALS = 12
LONGEST_CALM_S = 400.0
EXPIRY_S = 901.0
CALM_TRADES = 3


@dataclass(frozen=True)
class Act:
    """Something that somebody does, and how often."""

    do: Callable[[], object]
    odds: float


class Storm:
    """One schedule."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.world = World(seed)
        self._proposals = 0

    def run(self) -> None:
        """Let everything happen that this seed holds.

        Raises:
            ViolationError: an invariant did not hold.
        """
        world = self.world
        try:
            world.loop.run_until_complete(self._course())
        except RuntimeError:
            if world.watch.violation is None:
                raise
        finally:
            self._end()
        if world.watch.violation is not None:
            raise world.watch.violation

    def digest(self) -> str:
        """Return one hash of everything that happened."""
        told = "\n".join([*self.world.trace, self.world.journal.head().hash])
        return sha256(told.encode()).hexdigest()

    def _end(self) -> None:
        loop = self.world.loop
        loop.on_death = lambda process, place: None
        for process in self.world.alive():
            loop.kill(process, "")
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False
        loop.close()

    async def _course(self) -> None:
        world = self.world
        world.start()
        acts = self._acts()
        weights = [act.odds for act in acts]
        for _ in range(ACTS):
            self._arm()
            world.dice.choices(acts, weights=weights)[0].do()
            await asyncio.sleep(world.dice.choice(PAUSES_S))
            self._supervise()
        await self._calm()

    def _acts(self) -> tuple[Act, ...]:
        world, odds = self.world, self.world.weather.odds

        def some(bad: Bad, do: Callable[[], object], times: float) -> Act:
            return Act(do, times if odds[bad] else 0.0)

        return (
            Act(self._propose, 8),
            Act(self._trade, 7),
            Act(lambda: None, 6),
            some(Bad.DUPLICATE, world.gate.repeat_any, 2),
            some(Bad.FORGED, world.gate.forge_any, 1.5),
            some(Bad.REORDER, self._reorder, 2),
            some(Bad.REDELIVERED, self._redeliver, 2),
            some(Bad.QUEUE_DOWN, self._queue, 2),
            some(Bad.CANCEL_REQUESTED, world.gate.cancel_any, 2),
            some(Bad.EXPIRED, self._expire, 2),
            some(Bad.VENUE_DEAF, self._deafen, 2),
            some(Bad.CLOCK_FORWARD, self._clock, 1),
            some(Bad.HALT_JOURNALLED, world.halt_somewhere, 1.2),
            Act(world.gate.resume_all, 2.5),
            some(Bad.SIGTERM, self._terminate, 1),
            some(Bad.STOPPED, self._stop, 1.5),
            some(Bad.SECOND_EXECUTOR, self._second, 1),
        )

    def _arm(self) -> None:
        """Let death strike at some await from now on, as often as this seed has it."""
        world = self.world
        if world.weather.death_odds and world.loop.steps_to_death < 0 and world.dice.random() < 0.3:
            world.loop.steps_to_death = int(world.dice.expovariate(1 / 120))

    def _supervise(self) -> None:
        """Start a process where none runs; a stopped one is taken for dead after a while."""
        running = [process for process in self.world.alive() if not process.is_stopped]
        if not running and self.world.dice.random() < 0.5:
            self.world.start()

    # What people, market and machines do.

    def _propose(self) -> None:
        self._proposals += 1
        if self._proposals <= MOST_PROPOSALS:
            self.world.gate.propose_any()

    def _trade(self) -> None:
        if working := self.world.venue.working():
            self.world.venue.trade(self.world.dice.choice(working))

    def _expire(self) -> None:
        if working := self.world.venue.working():
            self.world.weather.note(Bad.EXPIRED)
            self.world.venue.end(self.world.dice.choice(working), VenueStatus.EXPIRED)

    def _reorder(self) -> None:
        if len(self.world.queue.held) > 1:
            self.world.weather.note(Bad.REORDER)
            self.world.queue.shuffle_first_to_last()

    def _redeliver(self) -> None:
        if self.world.queue.come_again():
            self.world.weather.note(Bad.REDELIVERED)

    def _queue(self) -> None:
        self.world.is_queue_down = not self.world.is_queue_down
        self.world.weather.note(Bad.QUEUE_DOWN)

    def _deafen(self) -> None:
        self.world.venue.is_deaf = not self.world.venue.is_deaf
        self.world.weather.note(Bad.VENUE_DEAF)

    def _clock(self) -> None:
        world = self.world
        jump_s = world.dice.choice((-3600.0, -20.0, -3.0, 3.0, 20.0, 3600.0))
        world.clock_offset_s = 0.0 if world.clock_offset_s else jump_s
        world.weather.note(Bad.CLOCK_FORWARD if jump_s > 0 else Bad.CLOCK_BACK)
        world.say(f"the clock is {world.clock_offset_s} s ahead")

    def _terminate(self) -> None:
        for process in self.world.alive()[-1:]:
            self.world.weather.note(Bad.SIGTERM)
            self.world.say(f"{process.name} is asked to stop")
            for handler in (process.handlers.get(signal.SIGTERM),):
                if handler is not None:
                    handler()

    def _stop(self) -> None:
        """Stop a process, or wake one that was stopped."""
        world = self.world
        stopped = [process for process in world.alive() if process.is_stopped]
        if stopped:
            self._wake(world.dice.choice(stopped))
        elif (running := world.alive()) and not world.venue.is_authoritative:
            world.weather.note(Bad.STOPPED)
            world.say(f"{running[-1].name} stands still")
            running[-1].is_stopped = True

    def _wake(self, process: Process) -> None:
        world = self.world
        if world.watch.owner is not process:
            world.weather.note(Bad.ZOMBIE)
        world.say(f"{process.name} wakes")
        world.loop.wake(process)

    def _second(self) -> None:
        if len(self.world.alive()) == 1 and not self.world.venue.is_authoritative:
            self.world.weather.note(Bad.SECOND_EXECUTOR)
            self.world.start()

    # How it ends.

    async def _calm(self) -> None:
        """No more trouble: within a bound of time everything must be decided."""
        world = self.world
        world.say("calm")
        world.weather.is_stormy = False
        world.loop.steps_to_death = -1
        world.venue.is_deaf = world.is_queue_down = False
        world.slowness = 4.0
        for process in world.alive():
            if process.is_stopped:
                self._wake(process)
        for _ in range(CALM_TRADES):
            self._trade()
            await asyncio.sleep(2.0)
            self._keep_going()
        await self._until_settled()
        world.say("whatever was never sent expires")
        for process in world.alive():
            world.loop.kill(process, "when all had settled")
        world.loop.now_s += EXPIRY_S
        await self._until_settled()
        world.watch.at_the_end()

    async def _until_settled(self) -> None:
        world = self.world
        ends_s = world.loop.now_s + LONGEST_CALM_S
        quiet, known = 0, -1
        while world.loop.now_s < ends_s and quiet < 4:
            await asyncio.sleep(4.0)
            self._keep_going()
            head = world.journal.head().sequence
            is_still = head == known and world.queue.is_empty() and not self._is_in_doubt()
            quiet, known = quiet + 1 if is_still else 0, head

    def _keep_going(self) -> None:
        """Start the executor anew when it ended, at a clock that everybody can go on with."""
        world = self.world
        if world.alive():
            return
        newest_at = world.watch.ledger.newest_at or world.true_now()
        behind_s = (newest_at - world.true_now()).total_seconds()
        world.clock_offset_s = max(behind_s, 0.0)
        world.start()

    def _is_in_doubt(self) -> bool:
        """Whether the outcome of an order is still looked for."""
        states = self.world.watch.ledger.book.order_states.values()
        return not UNRESOLVED.isdisjoint(states)
