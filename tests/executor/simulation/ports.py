"""Journal, queue, clock and latch as one process reaches them: each may fail, lie late, or die with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from ledger.journal import EMPTY, Head, Recorded, link_hash
from ledger.queue import ReceivedMessage
from tests.executor.simulation.loop import Process
from tests.executor.simulation.weather import Bad, Death
from tests.fakes.memory_queue import MemoryQueue
from when_to_invest import events as ev
from when_to_invest.breakers import Halt
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from tests.executor.simulation.world import World

Result = TypeVar("Result")


class SharedJournal:
    """What every process appends to; keeps the canonical bytes, so that a check writes none anew."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []
        self.canonical: list[bytes] = []

    def head(self) -> Head:
        return self.recorded[-1].head if self.recorded else EMPTY

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        yield from self.recorded[after:]

    def pick(self, sequences: Sequence[int]) -> Iterator[Recorded]:
        yield from (self.recorded[sequence - 1] for sequence in sequences)

    def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
        head = self.head()
        if expected is not None and expected != head:
            raise Fault(ErrorCode.JOURNAL_CONFLICT, "somebody wrote first", fix="try again")
        for event in events:
            written = event.canonical()
            fresh = link_hash(sequence=head.sequence + 1, previous_hash=head.hash, event_canonical=written)
            self.recorded.append(Recorded(head.sequence + 1, head.hash, fresh, event))
            self.canonical.append(written)
            head = self.recorded[-1].head
        return head

    def close(self) -> None:
        """Nothing is held open."""


class JournalPort:
    """The journal as one process reaches it."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process
        self._shared = world.journal
        self.pick = world.journal.pick
        self.close = world.journal.close

    def head(self) -> Head:
        self._process.demand_life()
        return self._shared.head()

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        self._process.demand_life()
        if self._shared.head().sequence > after and self._world.weather.strikes(Bad.JOURNAL_FAILING):
            raise _unavailable("the journal does not answer")
        return self._shared.read(after=after)

    def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
        world, weather = self._world, self._world.weather
        world.strike(self._process, Death.BEFORE_APPEND)
        if weather.strikes(Bad.JOURNAL_CONFLICT):
            world.interfere()
        if weather.strikes(Bad.JOURNAL_FAILING):
            raise _unavailable("the journal does not answer")
        if weather.strikes(Bad.DISK_FULL):
            raise Fault(ErrorCode.STORAGE_FAILED, "no space left on device", fix="make room")
        head = self._shared.append(events, expected=expected)
        world.say(f"{self._process.name} appends {[event.kind for event in events]}")
        world.watch.appended(events, self._process)
        if any(isinstance(event, ev.SendIntended) for event in events):
            world.intended(self._process)
        if weather.strikes(Bad.APPEND_TORN):
            world.strike(self._process, Death.TORN_APPEND, odds=0.3)
            raise _unavailable("the answer was lost")
        world.strike(self._process, Death.AFTER_APPEND)
        return head


def _unavailable(why: str) -> Fault:
    return Fault(ErrorCode.JOURNAL_UNAVAILABLE, why, fix="wait")


class SharedQueue(MemoryQueue):
    """The queue of one loop: its time is the loop's."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._time_s = now_s
        super().__init__()

    @property
    def now_s(self) -> float:
        return self._time_s()

    @now_s.setter
    def now_s(self, value: float) -> None:
        """Nobody sets it."""

    def come_again(self) -> bool:
        """Show a message that is in flight to others, as when its visibility ends; say whether one was."""
        flying = [held for held in self.held if held.visible_at > self.now_s]
        for held in flying[:1]:
            held.visible_at = 0.0
        return bool(flying)


class QueuePort:
    """The queue as one process reaches it."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process
        self._shared = world.queue

    def receive(self, *, max_messages: int, wait_s: float) -> tuple[ReceivedMessage, ...]:
        taken = self._done(lambda: self._shared.receive(max_messages=max_messages, wait_s=wait_s))
        if taken:
            self._world.say(f"{self._process.name} receives {[message.message_id for message in taken]}")
            self._world.strike(self._process, Death.AFTER_RECEIVE)
        return taken

    def delete(self, receipt: str) -> None:
        self._world.strike(self._process, Death.BEFORE_DELETE)
        self._done(lambda: self._shared.delete(receipt))
        self._world.say(f"{self._process.name} deletes {receipt}")
        self._world.strike(self._process, Death.AFTER_DELETE)

    def delete_batch(self, receipts: Sequence[str]) -> tuple[Fault | None, ...]:
        return self._done(lambda: self._shared.delete_batch(receipts))

    def extend(self, receipt: str, *, visibility_s: int) -> None:
        self._done(lambda: self._shared.extend(receipt, visibility_s=visibility_s))

    def is_empty(self) -> bool:
        return self._done(self._shared.is_empty)

    def look(self, *, max_messages: int) -> tuple[ReceivedMessage, ...]:
        return self._done(lambda: self._shared.look(max_messages=max_messages))

    def remove(self, receipt: str) -> None:
        self._done(lambda: self._shared.remove(receipt))

    def _done(self, call: Callable[[], Result]) -> Result:
        self._process.demand_life()
        if self._world.is_queue_down:
            raise Fault(ErrorCode.QUEUE_UNAVAILABLE, "told to be down", fix="wait")
        answer = call()
        if self._world.weather.strikes(Bad.QUEUE_LOST_REPLY):
            raise Fault(ErrorCode.QUEUE_UNAVAILABLE, "told to lose the answer", fix="wait")
        return answer


class VirtualThread:
    """Implements `executor.offload.Offload` as `OneThread` does, on the loop's own time."""

    async def run(self, call: Callable[[], Result]) -> Result:
        running = asyncio.get_running_loop().run_in_executor(self, call)
        is_cancelled = False
        while not running.done():
            try:
                await asyncio.wait((running,))
            except asyncio.CancelledError:
                is_cancelled = True
        task = asyncio.current_task()
        if is_cancelled and task is not None:
            task.cancel()
        return running.result()


class PollingThread(VirtualThread):
    """A receive that finds nothing waits a little, as a long poll does."""

    def __init__(self, wait: Callable[[], float]) -> None:
        self._wait = wait

    async def run(self, call: Callable[[], Result]) -> Result:
        answer = await super().run(call)
        if answer == ():
            await asyncio.sleep(self._wait())
        return answer


class LatchPort:
    """The latch as one process reaches it; implements `home.latch.Switch`."""

    def __init__(self, world: World, process: Process) -> None:
        self._shared = world.latch
        self._process = process

    def read(self) -> tuple[Halt, ...]:
        self._process.demand_life()
        return self._shared.read()

    @contextmanager
    def writing(self) -> Iterator[tuple[Halt, ...]]:
        self._process.demand_life()
        with self._shared.writing() as halts:
            yield halts

    def drop(self, halt: Halt) -> Halt:
        self._process.demand_life()
        return self._shared.drop(halt)

    def lift(self, latch_ids: Collection[str]) -> int:
        self._process.demand_life()
        return self._shared.lift(latch_ids)
