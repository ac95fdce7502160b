"""One message of a group after the other, groups side by side, and no lane's trouble is another's."""

from __future__ import annotations

import asyncio

import pytest

from executor.lanes import Lanes
from ledger.queue import ReceivedMessage
from tests.executor.by_hand import run
from when_to_invest.errors import ErrorCode, Fault


def message(group: str, number: int) -> ReceivedMessage:
    return ReceivedMessage(f"m-{number}", f"r-{number}", "{}", group, f"d-{number}", 1)


def test_a_group_keeps_its_order_while_groups_go_side_by_side() -> None:
    told: list[str] = []

    async def handle(taken: ReceivedMessage) -> None:
        told.append(f"begin {taken.group}{taken.message_id}")
        await asyncio.sleep(0)
        told.append(f"end {taken.group}{taken.message_id}")

    async def work() -> None:
        lanes = Lanes(handle, most=10)
        for number, group in enumerate("aab"):
            lanes.put(message(group, number))
        await lanes.settle()

    run(work())
    of_a = [line for line in told if line.split()[1].startswith("a")]
    assert of_a == ["begin am-0", "end am-0", "begin am-1", "end am-1"]
    assert told.index("begin bm-2") < told.index("end am-0")


def test_a_lane_that_hangs_holds_up_no_other() -> None:
    done: list[str] = []

    async def work() -> None:
        ends = asyncio.Event()

        async def handle(taken: ReceivedMessage) -> None:
            if taken.group == "slow":
                await ends.wait()
            done.append(taken.group)

        lanes = Lanes(handle, most=10)
        for number, group in enumerate(("slow", "quick", "quick")):
            lanes.put(message(group, number))
        while len(done) < 2:
            await lanes.change()
        assert lanes.is_busy
        ends.set()
        await lanes.settle()
        assert not lanes.is_busy

    run(work())
    assert done == ["quick", "quick", "slow"]


def test_a_failure_is_told_once_and_the_other_lanes_end_first() -> None:
    done: list[str] = []

    async def handle(taken: ReceivedMessage) -> None:
        if taken.group == "bad":
            raise ZeroDivisionError
        await asyncio.sleep(0)
        done.append(taken.group)

    async def work() -> None:
        lanes = Lanes(handle, most=10)
        lanes.put(message("bad", 1))
        lanes.put(message("good", 2))
        with pytest.raises(ZeroDivisionError):
            await lanes.settle()
        assert done == ["good"]
        await lanes.settle()
        lanes.put(message("good", 3))
        await lanes.settle()

    run(work())
    assert done == ["good", "good"]


def test_whoever_watches_learns_of_a_failure_at_once() -> None:
    async def work() -> None:
        ends = asyncio.Event()

        async def handle(taken: ReceivedMessage) -> None:
            if taken.group == "bad":
                raise ZeroDivisionError
            await ends.wait()

        lanes = Lanes(handle, most=10)
        lanes.put(message("slow", 1))
        lanes.put(message("bad", 2))
        with pytest.raises(ZeroDivisionError):
            await lanes.broken()
        ends.set()
        await lanes.settle()

    run(work())


def test_there_is_room_for_so_many_groups_only() -> None:
    async def work() -> None:
        ends = asyncio.Event()

        async def handle(_: ReceivedMessage) -> None:
            await ends.wait()

        lanes = Lanes(handle, most=2)
        lanes.put(message("a", 1))
        await asyncio.wait_for(lanes.room(), timeout=10)
        lanes.put(message("b", 2))
        waiting = asyncio.create_task(lanes.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        ends.set()
        await asyncio.wait_for(waiting, timeout=10)
        await lanes.settle()

    run(work())


def test_what_is_abandoned_ends() -> None:
    async def work() -> None:
        async def handle(_: ReceivedMessage) -> None:
            await asyncio.Event().wait()

        lanes = Lanes(handle, most=2)
        lanes.put(message("a", 1))
        await asyncio.sleep(0)
        await lanes.abandon()
        assert not lanes.is_busy

    run(work())


def test_what_fails_together_is_told_once_what_time_cannot_heal_first() -> None:
    """A moment without a queue is one failure, however many lanes met it."""

    async def work() -> None:
        async def handle(taken: ReceivedMessage) -> None:
            if taken.group == "defect":
                raise ZeroDivisionError
            raise Fault(ErrorCode.QUEUE_UNAVAILABLE, "told to be away", fix="wait")

        lanes = Lanes(handle, most=32)
        for number in range(20):
            lanes.put(message(f"g{number}", number))
        lanes.put(message("defect", 20))
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(lanes.broken(), timeout=10)
        with pytest.raises(Fault):
            await asyncio.wait_for(lanes.failed(), timeout=10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lanes.failed(), timeout=0.01)
        await lanes.settle()

    run(work())


def test_a_lane_that_ends_as_if_it_had_been_cancelled_is_not_lost_without_a_word() -> None:
    async def work() -> None:
        async def handle(_: ReceivedMessage) -> None:
            raise asyncio.CancelledError

        lanes = Lanes(handle, most=2)
        lanes.put(message("a", 1))
        with pytest.raises(RuntimeError, match="nobody"):
            await asyncio.wait_for(lanes.broken(), timeout=10)

    run(work())
