"""What may wait is done once, when nobody has asked for it again for a moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.tool_servers.bench import Bench, proposal
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.lull import QUIET_S, Lull

DEADLINE_S = 20.0
NOTE = "envelope_queued"


@dataclass
class _Time:
    """A clock that moves when somebody pauses, and lets `meanwhile` happen in the first pauses."""

    now_s: float = 100.0
    paused_s: list[float] = field(default_factory=list)
    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    def now(self) -> float:
        return self.now_s

    def pause(self, for_s: float) -> None:
        self.paused_s.append(for_s)
        if self.meanwhile:
            self.now_s += for_s / 2
            self.meanwhile.pop(0)()
            self.now_s += for_s / 2
        else:
            self.now_s += for_s


@dataclass
class _Step:
    """Remembers when it was done."""

    time: _Time
    at_s: list[float] = field(default_factory=list)
    done: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self) -> None:
        self.at_s.append(self.time.now())
        self.done.release()


def test_it_is_done_after_the_lull_by_another_thread() -> None:
    time = _Time()
    names: list[str] = []
    done = threading.Event()

    def step() -> None:
        names.append(threading.current_thread().name)
        done.set()

    Lull(0.25, time.now, time.pause)(step)
    assert done.wait(DEADLINE_S)
    assert (names, time.paused_s) == (["lull"], [0.25])


def test_who_asks_again_meanwhile_puts_it_off_and_it_is_done_once() -> None:
    time = _Time()
    lull, step = Lull(0.25, time.now, time.pause), _Step(time)
    asked_at_s: list[float] = []

    def ask() -> None:
        asked_at_s.append(time.now())
        lull(step)

    time.meanwhile += [ask] * 3
    lull(step)
    assert step.done.acquire(timeout=DEADLINE_S)
    assert len(asked_at_s) == 3
    assert step.at_s == [asked_at_s[-1] + 0.25]
    assert not step.done.acquire(blocking=False)


def test_it_is_done_again_when_it_is_asked_for_again() -> None:
    time = _Time()
    lull, step = Lull(0.25, time.now, time.pause), _Step(time)
    for _ in range(2):
        lull(step)
        assert step.done.acquire(timeout=DEADLINE_S)
    assert step.at_s == [100.25, 100.5]


def test_without_another_thread_it_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    time = _Time()
    lull, step = Lull(0.25, time.now, time.pause), _Step(time)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        lull(step)
    assert step.at_s == [100.0]
    assert step.done.acquire(blocking=False)
    lull(step)
    assert step.done.acquire(timeout=DEADLINE_S)


def test_a_lull_is_short() -> None:
    assert Lull().quiet_s == QUIET_S == 0.05


def _left_to_later(desk: ProposalDesk) -> list[Callable[[], None]]:
    left: list[Callable[[], None]] = []
    desk.sittings.later = left.append
    return left


def test_a_sitting_that_comes_in_the_lull_carries_the_note_and_the_last_one_is_noted_after_it() -> None:
    bench = Bench()
    desk = bench.desk()
    left = _left_to_later(desk)
    first = desk.propose(proposal("3000", request_id="r-1"), caller="agent")
    assert first.state == "queued"
    assert bench.kinds()[-1] == "envelope_sealed"
    second = desk.propose(proposal("3100", request_id="r-2"), caller="agent")
    opened = ["intent_proposed", "intent_judged", "envelope_sealed"]
    assert bench.kinds()[-4:] == [NOTE, *opened]
    left[-1]()
    assert bench.kinds()[-1] == NOTE
    left[-1]()
    assert bench.kinds().count(NOTE) == len(bench.queue.held) == 2
    assert desk.relay() == 0
    assert [desk.get(each.decision_id).state for each in (first, second)] == ["queued"] * 2


def test_the_lull_waits_for_nobody_who_is_inside() -> None:
    bench = Bench()
    desk = bench.desk()
    left = _left_to_later(desk)
    desk.propose(proposal("3000"), caller="agent")
    inside, may_go = threading.Event(), threading.Event()

    def hold_the_room() -> None:
        with desk.sittings.room:
            inside.set()
            may_go.wait(DEADLINE_S)

    holder = threading.Thread(target=hold_the_room)
    holder.start()
    assert inside.wait(DEADLINE_S)
    left[-1]()
    assert NOTE not in bench.kinds()
    may_go.set()
    holder.join(DEADLINE_S)
    left[-1]()
    assert bench.kinds()[-1] == NOTE
