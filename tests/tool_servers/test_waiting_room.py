"""A full house turns calls away at once, in words a caller can act on, and lets all others in."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client
from mcp.types import CallToolResult

from tests.tool_servers.calling import answer_of, error_of
from tests.tool_servers.test_assembly import Echo, tool
from tool_servers.assembly import ServerCard, Terms, ToolServer, build_server
from tool_servers.waiting_room import WaitingRoom
from when_to_invest.errors import ErrorCode, Fault

CALLERS = ("a", "b", "c")


def test_the_room_holds_as_many_as_it_says_and_half_of_them_for_one_caller() -> None:
    room = WaitingRoom(4)
    with ExitStack() as held:
        for name in ("a", "a"):
            held.enter_context(room.place(name))
        with pytest.raises(Fault, match="at most 2 may; this one is 1 too many"):
            held.enter_context(room.place("a"))
        for name in ("b", "c"):
            held.enter_context(room.place(name))
        with pytest.raises(Fault) as caught:
            held.enter_context(room.place("d"))
    assert caught.value.code is ErrorCode.OVERLOADED
    assert caught.value.is_retryable
    assert "at most 4 may" in caught.value.message
    assert "nothing was done" in caught.value.message
    assert "fewer than 4" in caught.value.fix


def test_a_room_of_one_lets_one_in() -> None:
    room = WaitingRoom(1)
    with room.place("a"), pytest.raises(Fault), room.place("b"):
        pass
    with room.place("b"):
        pass


@given(st.integers(1, 6), st.lists(st.tuples(st.sampled_from(CALLERS), st.booleans()), max_size=40))
def test_whoever_there_is_room_for_gets_in_and_nobody_else(most: int, steps: list[tuple[str, bool]]) -> None:
    room, inside = WaitingRoom(most), [(name, ExitStack()) for name in ()]
    for name, comes in steps:
        if not comes and inside:
            inside.pop(0)[1].close()
            continue
        fits = len(inside) < most and [who for who, _ in inside].count(name) < max(1, most // 2)
        place = ExitStack()
        try:
            place.enter_context(room.place(name))
        except Fault:
            assert not fits
        else:
            assert fits
            inside.append((name, place))


def test_threads_that_come_and_go_leave_the_room_empty() -> None:
    room = WaitingRoom(4)

    def come(number: int) -> bool:
        try:
            with room.place(CALLERS[number % 3]):
                return True
        except Fault:
            return False

    with ThreadPoolExecutor(16) as pool:
        assert any(pool.map(come, range(2_000)))
    with ExitStack() as held:
        for name in ("a", "a", "b", "b"):
            held.enter_context(room.place(name))


def _server(room: WaitingRoom, inside: asyncio.Event, go_on: asyncio.Event) -> ToolServer:
    async def linger(text: str) -> Echo:
        inside.set()
        await go_on.wait()
        return Echo(said=text)

    tools = [tool("linger", function=linger)]
    return build_server(ServerCard("echo", "Echoes."), tools, terms=Terms(room=room))


def test_a_call_that_finds_the_server_full_is_told_so_and_the_others_are_answered() -> None:
    async def talk() -> tuple[CallToolResult, CallToolResult, CallToolResult]:
        inside, go_on = asyncio.Event(), asyncio.Event()
        async with Client(_server(WaitingRoom(2), inside, go_on)) as client:
            first = asyncio.create_task(client.call_tool("linger", {"text": "first"}))
            await inside.wait()
            second = await client.call_tool("linger", {"text": "second"})
            go_on.set()
            return await first, second, await client.call_tool("linger", {"text": "third"})

    first, second, third = asyncio.run(talk())
    assert answer_of(first) == {"said": "first"}
    assert answer_of(third) == {"said": "third"}
    told = error_of(second)
    assert (told["code"], told["retryable"]) == ("overloaded", True)
