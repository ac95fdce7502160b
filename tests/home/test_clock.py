"""The shared clock: one instant for every process of a home, and never backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.clock import STEP_TOLERANCE_S, FixedClock, ReplayClock, WallClock, clock_of
from home.paths import Home
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode

START = datetime(2008, 9, 12, 23, 59, 59, tzinfo=UTC)
LATER = START + timedelta(days=1)


def test_two_processes_of_a_home_read_the_same_instant(tmp_path: Path) -> None:
    ReplayClock(tmp_path / "clock.json").move_to(START)
    assert ReplayClock(tmp_path / "clock.json").now() == START


def test_the_replay_clock_moves_forward(tmp_path: Path) -> None:
    clock = ReplayClock(tmp_path / "clock.json")
    clock.move_to(START)
    clock.move_to(LATER)
    assert clock.now() == LATER


def test_the_replay_clock_never_moves_back(tmp_path: Path) -> None:
    clock = ReplayClock(tmp_path / "clock.json")
    clock.move_to(LATER)
    with pytest.raises(Fault) as refused:
        clock.move_to(START)
    assert refused.value.code is ErrorCode.BAD_ARGUMENT
    assert clock.now() == LATER


def test_moving_to_the_same_instant_is_no_move_back(tmp_path: Path) -> None:
    clock = ReplayClock(tmp_path / "clock.json")
    clock.move_to(START)
    clock.move_to(START)
    assert clock.now() == START


def test_moving_leaves_nothing_behind(tmp_path: Path) -> None:
    ReplayClock(tmp_path / "clock.json").move_to(START)
    assert [path.name for path in tmp_path.iterdir()] == ["clock.json"]


@pytest.mark.parametrize(
    "text",
    ["", "{}", "null", '{"now": 5}', '{"now": "soon"}', '{"now": "2008-09-12T00:00:00"}', '{"now": "'],
)
def test_a_clock_that_cannot_be_read_stops_everything(text: str, tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    path.write_text(text)
    with pytest.raises(Fault) as refused:
        ReplayClock(path).now()
    assert refused.value.code is ErrorCode.BAD_CONFIG


def test_a_clock_nobody_set_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(Fault):
        ReplayClock(tmp_path / "clock.json").now()


def test_replayed_data_never_run_on_the_walls_time(tmp_path: Path) -> None:
    kinds = {mode: type(clock_of(Home(tmp_path), mode)) for mode in Mode}
    assert kinds == {Mode.REPLAY: ReplayClock, Mode.PAPER: WallClock, Mode.LIVE: WallClock}


def test_the_wall_clock_tells_utc() -> None:
    assert WallClock().now().utcoffset() == timedelta(0)


def test_a_fixed_clock_stands_until_it_is_moved() -> None:
    clock = FixedClock(START)
    assert clock.now() == clock.now() == START
    clock.move_to(LATER)
    assert clock.now() == LATER


class Machine:
    """A machine whose clock can be set, and whose counter cannot."""

    def __init__(self) -> None:
        self.wall, self.passed_s = START, 1_000.0

    def clock(self) -> WallClock:
        return WallClock(wall=lambda: self.wall, steady_s=lambda: self.passed_s)

    def wait(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.passed_s += seconds

    def set_clock(self, by_s: float) -> None:
        self.wall += timedelta(seconds=by_s)


waits = st.lists(st.floats(0, 100_000), max_size=5)


@given(waits)
def test_a_clock_that_nobody_sets_tells_the_walls_time(waited: list[float]) -> None:
    machine = Machine()
    clock = machine.clock()
    for seconds in waited:
        machine.wait(seconds)
        assert clock.now() == machine.wall


@given(waits, st.floats(6, 10**7), st.booleans())
def test_a_clock_that_was_set_tells_no_time_until_it_is_right(
    waited: list[float],
    by_s: float,
    back: bool,  # noqa: FBT001 - drawn
) -> None:
    machine = Machine()
    clock = machine.clock()
    for seconds in waited:
        machine.wait(seconds)
    by_s += 0.001 * sum(waited)
    machine.set_clock(-by_s if back else by_s)
    with pytest.raises(Fault) as refused:
        clock.now()
    assert refused.value.code is (ErrorCode.CLOCK_BACK if back else ErrorCode.CLOCK_AHEAD)
    machine.set_clock(by_s if back else -by_s)
    assert clock.now() == machine.wall


def test_a_clock_slewed_by_a_time_daemon_is_believed() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wait(86_400)
    machine.set_clock(0.0005 * 86_400)
    assert clock.now() == machine.wall


@given(
    st.lists(st.tuples(st.floats(0.001, 86_400), st.floats(-0.0005, 0.0005)), min_size=1, max_size=30),
    st.integers(0, 3_650),
    st.floats(0.1, 10**6),
    st.booleans(),
)
def test_after_years_of_slewing_a_step_is_as_small_as_on_the_first_day(
    looks: list[tuple[float, float]],
    days: int,
    beyond_s: float,
    back: bool,  # noqa: FBT001 - drawn
) -> None:
    machine = Machine()
    clock = machine.clock()
    ratio = looks[0][1]
    for seconds, slewed_by in [*looks, *[(86_400.0, ratio)] * days, *looks]:
        machine.wait(seconds)
        machine.set_clock(slewed_by * seconds)
        assert clock.now() == machine.wall
    by_s = STEP_TOLERANCE_S + beyond_s
    machine.set_clock(-by_s if back else by_s)
    with pytest.raises(Fault):
        clock.now()


@given(st.floats(0, 10**8), st.floats(92, 10**6), st.booleans())
def test_even_a_clock_that_nobody_looked_at_for_years_may_not_have_been_set(
    passed_s: float,
    by_s: float,
    back: bool,  # noqa: FBT001 - drawn
) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wait(passed_s)
    machine.set_clock(-by_s if back else by_s)
    with pytest.raises(Fault):
        clock.now()


@pytest.mark.parametrize("step_s", [4.9, -4.9, 0.01, -0.01])
def test_many_small_steps_are_no_way_round(step_s: float) -> None:
    machine = Machine()
    clock = machine.clock()

    def creep() -> None:
        for _ in range(2_000):
            machine.wait(1)
            machine.set_clock(step_s)
            clock.now()

    with pytest.raises(Fault):
        creep()
    assert abs((machine.wall - START).total_seconds() - (machine.passed_s - 1_000)) < 2 * STEP_TOLERANCE_S


def test_a_process_that_slept_between_two_looks_is_believed() -> None:
    machine = Machine()

    def sleepy() -> datetime:
        told = machine.wall
        machine.wait(60)
        return told

    clock = WallClock(wall=sleepy, steady_s=lambda: machine.passed_s)
    machine.wait(3_600)
    assert clock.now() < machine.wall
