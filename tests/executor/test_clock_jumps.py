"""The clock jumps at every step of an order's way: nothing passes, one clear error, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import eth_account  # noqa: F401 - raises the recursion limit on import, which hypothesis must not see happen
import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.probe import Point
from home.clock import WallClock
from tests.executor.whole import Whole
from tests.tool_servers.bench import NOW, proposal, signed
from tests.when_to_invest.tightenings import halted
from tool_servers.orders.stops import SignedResumption
from when_to_invest import events as ev
from when_to_invest.approvals import Approval
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.letters import DeadLetterArrived
from when_to_invest.values import Mode

SCOPE = "instrument:SPX"
LETS_PASS = (ev.IntentProposed, ev.EnvelopeSealed, ev.ApprovalGiven, ev.SendIntended, ev.TradingResumed)
CLOCKS = {ErrorCode.CLOCK_BACK, ErrorCode.CLOCK_AHEAD}
jumps_s = st.sampled_from([-86_400 * 30, -90_000, -3_600, -30, 30, 3_600, 90_000, 86_400 * 30])


class Way:
    """One order that goes straight, one that is signed, and one that is redriven, step by step."""

    def __init__(self) -> None:
        self.off_s = 0.0
        self.passed_s = 0.0
        self.whole = Whole(time=WallClock(wall=self.wall, steady_s=lambda: self.passed_s))
        self.desk = self.whole.desk()
        self.approval: Approval | None = None
        self.resumption: SignedResumption | None = None
        self.late = ""
        self.steps: tuple[Callable[[], object], ...] = (
            self.propose,
            self.work,
            self.propose_large,
            self.approve,
            self.work,
            self.seal_too_early,
            self.halt,
            self.resume,
            self.redrive,
            self.work,
        )

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.passed_s + self.off_s)

    @property
    def right(self) -> datetime:
        return NOW + timedelta(seconds=self.passed_s)

    def propose(self) -> None:
        self.desk.propose(proposal("3000", request_id="r-1"), caller="agent")

    def propose_large(self) -> None:
        held = self.desk.propose(proposal("12000", request_id="r-2"), caller="agent")
        if self.approval is None:
            self.approval = signed(self.desk, held)

    def approve(self) -> None:
        if self.approval is not None:
            self.desk.approve(self.approval)

    def seal_too_early(self) -> None:
        """Seal one that expires in the queue; the queue says that its message died."""
        self.late = self.desk.propose(proposal("2000", request_id="r-3"), caller="agent").decision_id
        self.passed_s += 960
        self.whole.journal.append(
            [
                DeadLetterArrived(
                    at=self.right,
                    mode=Mode.REPLAY,
                    message_id="m-dead",
                    group="main|paper|SPX",
                    claimed_decision_id=self.late,
                    body_hash="0" * 64,
                    receive_count=5,
                    code="undelivered",
                    message="it died",
                )
            ]
        )

    def halt(self) -> None:
        """Somebody halts, and two people sign that it goes on."""
        if self.resumption is None:
            self.whole.journal.append([halted(self.right, scope=SCOPE, why="x")])
            self.resumption = self.whole.resumption(SCOPE)

    def resume(self) -> None:
        if self.resumption is not None and self.desk.stops is not None:
            self.desk.stops.resume(self.resumption)

    def redrive(self) -> None:
        self.passed_s += 1
        if self.late:
            self.whole.letters().redrive("m-dead", by="operator", why="a drill")

    def work(self) -> None:
        self.whole.work()

    def passed(self) -> list[str]:
        """Return what was let pass, in order."""
        return [
            f"{event.kind} {getattr(event, 'decision_id', '')}" for event in self.whole.happened(*LETS_PASS)
        ]

    def walk(self, *, start: int = 0, stop: int | None = None) -> None:
        for step in self.steps[start:stop]:
            step()


def on_a_right_clock() -> Way:
    way = Way()
    way.walk()
    return way


def test_on_a_right_clock_all_of_it_passes() -> None:
    way = on_a_right_clock()
    assert len(way.whole.venue.submits) == 3
    assert [kind.split()[0] for kind in way.passed()].count("trading_resumed") == 1


@pytest.mark.proof
@given(st.integers(0, 9), jumps_s)
def test_from_a_jump_on_nothing_passes_and_each_step_says_why(before: int, by_s: float) -> None:
    way = Way()
    way.walk(stop=before)
    passed, submits = way.passed(), list(way.whole.venue.submits)
    way.off_s = by_s
    for step in way.steps[before:]:
        if step in {way.halt, way.seal_too_early}:
            continue  # these tell of others, who act on a right clock
        try:
            step()
        except Fault as fault:
            assert fault.code in CLOCKS  # noqa: PT017 - a step without anything to do says nothing
        assert way.passed() == passed
    assert way.whole.venue.submits == submits


@pytest.mark.proof
@given(st.integers(0, 9), jumps_s)
def test_once_the_clock_is_right_again_all_goes_on_as_if_nothing_had_been(before: int, by_s: float) -> None:
    way = Way()
    way.walk(stop=before)
    way.off_s = by_s
    if way.steps[before] not in {way.halt, way.seal_too_early}:
        with pytest.raises(Fault) as stopped:
            way.steps[before]()
        assert stopped.value.code is (ErrorCode.CLOCK_BACK if by_s < 0 else ErrorCode.CLOCK_AHEAD)
    way.off_s = 0
    way.walk(start=before)
    assert way.passed() == on_a_right_clock().passed()


class Jump:
    """Lets the clock jump at one point of the executor's work, once."""

    def __init__(self, way: Way, point: Point, by_s: float) -> None:
        self._way, self._point, self._by_s = way, point, by_s

    def reached(self, point: Point) -> None:
        if point is self._point:
            self._way.off_s, self._by_s = self._by_s, self._way.off_s


@pytest.mark.proof
@given(st.sampled_from([point for point in Point if not point.value.startswith("fill")]), jumps_s)
def test_a_jump_in_the_middle_of_the_work_sends_nothing_twice_and_loses_nothing(
    point: Point, by_s: float
) -> None:
    way = Way()
    way.propose()
    with pytest.raises(Fault) as stopped:
        way.whole.work(probe=Jump(way, point, by_s))
    assert stopped.value.code in CLOCKS
    if point in {Point.RECEIVED, Point.JUDGED}:
        assert not way.whole.venue.submits
    way.off_s = 0
    way.whole.queue.now_s += 60
    way.whole.work(rounds=10)
    assert len(way.whole.venue.orders) == 1
    assert len(set(way.whole.venue.submits)) == len(way.whole.venue.submits)
    assert way.whole.queue.is_empty()
