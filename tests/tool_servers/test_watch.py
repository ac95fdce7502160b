"""Long calls tell how far they are, and end with their caller or their time."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from mcp import Client

from tests.tool_servers.calling import answer_of, call, error_of, tools_of
from tool_servers.assembly import ServerCard, Terms, ToolServer, build_server
from tool_servers.toolspec import READS, ToolDefinition
from tool_servers.watch import TELL_EVERY_S, Watch
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Value


class Counted(Value):
    """How far it came."""

    count: int


class Counter:
    """Counts to a number, or until somebody ends it; 0 is without end."""

    def __init__(self) -> None:
        self.is_over = threading.Event()

    def count(self, limit: int, *, watch: Watch) -> Counted:
        try:
            done = 0
            while done < limit or not limit:
                watch.step(done, limit or 1)
                done += 1
            return Counted(count=done)
        finally:
            self.is_over.set()


def server(counter: Counter, *, longest_call_s: float = 30.0) -> ToolServer:
    tool = ToolDefinition(
        name="count",
        function=counter.count,
        description="Count.",
        conduct=READS,
        summarise=lambda answer: f"{answer.count}",
    )
    return build_server(ServerCard("counter", "Counts."), [tool], terms=Terms(longest_call_s=longest_call_s))


def test_a_long_call_answers_like_any_other(mode: str) -> None:
    assert answer_of(call(server(Counter()), "count", {"limit": 3}, mode=mode)) == {"count": 3}


def test_a_caller_does_not_see_the_watch() -> None:
    (listed,) = tools_of(server(Counter()))
    assert set(listed.input_schema["properties"]) == {"limit"}


@pytest.mark.parametrize("given", ["watch", "context"])
def test_a_caller_cannot_give_a_watch_of_its_own(mode: str, given: str) -> None:
    error = error_of(call(server(Counter()), "count", {"limit": 1, given: 1}, mode=mode))
    assert error["code"] == "bad_argument"


def test_progress_is_told_to_who_asks(mode: str) -> None:
    told: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total))

    async def once() -> None:
        async with Client(server(Counter()), mode=mode) as client:
            await client.call_tool("count", {"limit": 7}, progress_callback=hear)

    asyncio.run(once())
    assert told[0] == (0.0, 7.0)


def test_work_ends_when_its_caller_is_gone(mode: str) -> None:
    counter = Counter()

    async def leave() -> None:
        begun = asyncio.Event()

        async def hear(*told: Any) -> None:
            begun.set()

        async with Client(server(counter), mode=mode) as client:
            asked = asyncio.create_task(client.call_tool("count", {"limit": 0}, progress_callback=hear))
            await begun.wait()
            asked.cancel()
            await asyncio.wait([asked])
            assert await asyncio.to_thread(counter.is_over.wait, 20)

    asyncio.run(leave())


def test_work_ends_with_its_time(mode: str) -> None:
    error = error_of(call(server(Counter(), longest_call_s=0.05), "count", {"limit": 0}, mode=mode))
    assert error["code"] == "time_limit"
    assert not error["retryable"]


def test_progress_is_told_now_and_then_only() -> None:
    clock, told = [0.0], []
    watch = Watch(now_s=lambda: clock[0], report=lambda done, total: told.append(done))
    for done in range(100):
        watch.step(done, 100)
        clock[0] += TELL_EVERY_S / 8
    assert told == list(range(0, 100, 8))


def test_a_watch_ends_only_after_its_deadline() -> None:
    clock = [5.0]
    watch = Watch(5.0, now_s=lambda: clock[0])
    watch.step(0, 1)
    clock[0] = 5.1
    with pytest.raises(Fault) as caught:
        watch.step(0, 1)
    assert caught.value.code is ErrorCode.TIME_LIMIT
