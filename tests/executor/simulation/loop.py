"""An event loop whose time, order and deaths a seed decides. No sockets, no threads, no waiting.

Time jumps to the next timer. Of what is ready the seed chooses one, so that whatever may come
first does so in some schedule. What runs belongs to a process; a process may be killed before any
of its steps, or stopped and woken again. A killed process does nothing any more: its steps are
dropped, its coroutines are ended where they stand, and its ports refuse.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from heapq import heappop
from pathlib import Path
from types import FrameType
from typing import Any, Final

EXECUTOR: Final = str(Path(__file__).resolve().parents[3] / "executor") + "/"
LATENCIES_S: Final = (0.0, 0.0, 0.001, 0.001, 0.004, 0.02, 0.1)
_OVERTAKEN: Final = 0.1
"""How often time goes on although something is ready."""
_OVERTAKES_WITHIN_S: Final = 0.1
_MOST_THROWS: Final = 20
_MANY_TASKS: Final = 200


class DiedError(BaseException):
    """Stands for SIGKILL: nothing in the executor may catch it."""


@dataclass(eq=False)
class Process:
    """What dies together."""

    name: str
    number: int
    is_dead: bool = False
    is_stopped: bool = False
    built_at: int = 0
    """Sequence of the journal's head when it first read it."""
    ended_by: str | None = None
    """Why it ended by itself; none while it runs, or when it was killed."""
    parked: list[asyncio.Handle] = field(default_factory=list)
    """What would run if the process were not stopped."""
    context: Context = field(default_factory=copy_context)
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    handlers: dict[int, Callable[[], object]] = field(default_factory=dict)

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Remember a task for as long as it runs, or a little longer."""
        if len(self.tasks) > _MANY_TASKS and not self.is_dead:
            self.tasks = [each for each in self.tasks if not each.done()]
        self.tasks.append(task)

    @property
    def is_over(self) -> bool:
        """Whether it was killed or has ended."""
        return self.is_dead or self.ended_by is not None

    def __repr__(self) -> str:
        return self.name

    def demand_life(self) -> None:
        """Refuse everything from a process that was killed."""
        if self.is_dead:
            raise DiedError(self.name)


PRESENT: Final[ContextVar[Process | None]] = ContextVar("process", default=None)


class _Task(asyncio.Task[Any]):
    """A task with a hash that is the same in every run, so that sets of tasks have one order."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class SeededLoop(asyncio.BaseEventLoop):
    """Runs one callback at a time."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice = dice
        self.now_s = 0.0
        self.steps = 0
        self.steps_to_death = -1
        """Steps of processes until one dies; below zero none does."""
        self.after_step: Callable[[], None] = lambda: None
        self.on_death: Callable[[Process, str], None] = lambda process, place: None
        self.awaits: Counter[str] = Counter()
        """Lines of the executor at which a task stood when its process died."""
        self._busy_until_s: dict[object, float] = {}
        self._made = 0

    def time(self) -> float:
        """Return virtual seconds since the start."""
        return self.now_s

    def latency_s(self) -> float:
        """Return how long a short way takes this time."""
        return self.dice.choice(LATENCIES_S)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        """Return a task that belongs to the present process, or to the one of `context`."""
        task = _Task(coro, loop=self, name=name, context=context)
        self._made += 1
        task.number = self._made
        process = PRESENT.get() if context is None else context.get(PRESENT)
        if process is not None:
            process.keep(task)
        return task

    def begin(self, process: Process, work: Coroutine[Any, Any, None]) -> asyncio.Task[Any]:
        """Run `work` as a process of its own."""
        process.context.run(PRESENT.set, process)
        return self.create_task(work, name=process.name, context=process.context.copy())

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Call `func` a little later; its answer comes later still. One thread, one call at a time."""
        answer = self.create_future()
        starts_s = max(self.now_s, self._busy_until_s.get(executor, 0.0)) + self.latency_s()
        ends_s = starts_s + self.latency_s() + 1e-6
        self._busy_until_s[executor] = ends_s

        def call() -> None:
            try:
                self.call_at(ends_s, _set, answer, func(*args))
            except DiedError:
                return
            except Exception as error:  # noqa: BLE001 - raised again in the task that asked
                self.call_at(ends_s, _fail, answer, error)

        self.call_at(starts_s, call)
        return answer

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        """Listen as the present process."""
        process = PRESENT.get()
        assert process is not None
        context = copy_context()
        process.handlers[sig] = lambda: self.call_soon(callback, *args, context=context)

    def remove_signal_handler(self, sig: int) -> bool:
        """Listen no more."""
        process = PRESENT.get()
        return process is not None and process.handlers.pop(sig, None) is not None

    def wake(self, process: Process) -> None:
        """Let a stopped process go on."""
        process.is_stopped = False
        self._ready.extend(process.parked)
        process.parked.clear()

    def kill(self, process: Process, place: str) -> None:
        """End a process at once."""
        process.is_dead = True
        self.on_death(process, place)
        process.parked.clear()
        present = asyncio.current_task(self)
        for task in process.tasks:
            if not task.done():
                self.awaits.update(_awaits_of(task))
                task._log_destroy_pending = False
                if task is not present:
                    process.context.copy().run(_bury, task.get_coro())
        process.tasks.clear()

    def _run_once(self) -> None:
        if not self._ready or self._is_overtaken():
            self._jump()
        count = len(self._ready)
        if not count:
            return
        index = self.dice.randrange(count) if count > 1 else 0
        handle = self._ready[index]
        del self._ready[index]
        if not handle._cancelled and self._may_run(handle):
            self.steps += 1
            handle._run()
            self.after_step()

    def _is_overtaken(self) -> bool:
        """Whether something that comes from outside is there before what is ready is done."""
        soon_s = self.now_s + _OVERTAKES_WITHIN_S
        return (
            bool(self._scheduled) and self._scheduled[0]._when <= soon_s and self.dice.random() < _OVERTAKEN
        )

    def _jump(self) -> None:
        scheduled = self._scheduled
        while scheduled and scheduled[0]._cancelled:
            heappop(scheduled)._scheduled = False
        if scheduled:
            self.now_s = max(self.now_s, scheduled[0]._when)
        while scheduled and scheduled[0]._when <= self.now_s:
            handle = heappop(scheduled)
            handle._scheduled = False
            self._ready.append(handle)

    def _may_run(self, handle: asyncio.Handle) -> bool:
        process = handle._context.get(PRESENT)
        if process is None:
            return True
        if process.is_stopped:
            process.parked.append(handle)
            return False
        if not process.is_dead and self.steps_to_death >= 0:
            self.steps_to_death -= 1
            if self.steps_to_death < 0:
                self.kill(process, "at an await")
        return not process.is_dead

    def _process_events(self, event_list: object) -> None:
        """Nothing comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody waits in a selector."""


def _set(answer: asyncio.Future[Any], result: Any) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _awaits_of(task: asyncio.Task[Any]) -> Iterator[str]:
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame: FrameType | None = getattr(awaited, "cr_frame", None)
        if frame is not None and frame.f_code.co_filename.startswith(EXECUTOR):
            yield f"{frame.f_code.co_filename.removeprefix(EXECUTOR)}:{frame.f_lineno}"
        awaited = getattr(awaited, "cr_await", None)


def _bury(work: Any) -> None:
    """End a coroutine where it stands; whatever it still tries finds its ports dead."""
    for _ in range(_MOST_THROWS):
        try:
            work.throw(DiedError("killed"))
        except BaseException:  # noqa: BLE001 - it is dead, whatever it says
            return
