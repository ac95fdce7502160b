"""A venue is asked no more often than it allows, and cancels always have something left."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.venues.ccxt.breaker import COOL_DOWN_S, MOST_FAILURES, Breaker
from executor.venues.ccxt.heard import retry_after
from executor.venues.ccxt.pacing import (
    CANCEL,
    ORDER,
    QUESTION,
    Allowance,
    Cost,
    NotNowError,
    Pacing,
    Rate,
    Turnstile,
)
from tests.executor.venues.exchange_contract import Ticking

AMPLE = Rate(1000.0, 1000.0)


def pacing(time: Ticking, requests: Rate, orders: Rate = AMPLE) -> Pacing:
    return Pacing(Allowance(requests, orders), monotonic=time.monotonic, pause=time.pause)


def question(weight: float = 1.0, most_s: float = 1000.0) -> Cost:
    return Cost(weight, QUESTION, most_s)


@given(
    weights=st.lists(st.floats(0.0, 20.0), min_size=1, max_size=40),
    per_s=st.floats(0.1, 50.0),
    burst=st.floats(1.0, 30.0),
)
def test_never_more_is_spent_than_was_saved_and_flowed_in(
    weights: list[float], per_s: float, burst: float
) -> None:
    time = Ticking()
    paced = pacing(time, Rate(per_s, burst))

    async def spend() -> None:
        for weight in weights:
            await paced.take(question(weight, most_s=1e9))

    asyncio.run(spend())
    elapsed = time.now - 1000.0
    heaviest = max(weights)
    assert sum(weights) <= (burst + elapsed * per_s + heaviest) * (1 + 1e-9) + 1e-6


def test_a_cancel_uses_what_is_kept_for_it() -> None:
    time = Ticking()
    paced = pacing(time, Rate(1.0, 10.0, reserve=4.0))

    async def spend() -> None:
        for _ in range(6):
            await paced.take(question())
        assert time.now == 1000.0
        for _ in range(4):
            await paced.take(Cost(1.0, CANCEL, 0.0))
        assert time.now == 1000.0
        await paced.take(question())
        assert time.now == 1005.0

    asyncio.run(spend())


def test_orders_are_counted_apart() -> None:
    time = Ticking()
    paced = pacing(time, AMPLE, Rate(1.0, 2.0))

    async def spend() -> None:
        for _ in range(2):
            await paced.take(Cost(1.0, ORDER, 0.0))
        with pytest.raises(NotNowError):
            await paced.take(Cost(1.0, ORDER, 0.5))
        await paced.take(question())
        assert time.now == 1000.0
        await paced.take(Cost(1.0, ORDER, 2.0))
        assert time.now == 1001.0

    asyncio.run(spend())


@pytest.mark.parametrize("urgency", [CANCEL, ORDER, QUESTION])
def test_a_venue_that_asked_to_be_left_alone_hears_nothing_meanwhile(urgency: int) -> None:
    time = Ticking()
    paced = pacing(time, AMPLE)

    async def spend() -> None:
        paced.leave_alone(60.0)
        paced.leave_alone(1.0)
        with pytest.raises(NotNowError):
            await paced.take(Cost(1.0, urgency, 59.0))
        await paced.take(Cost(1.0, urgency, 61.0))
        assert time.now == 1060.0

    asyncio.run(spend())


def test_the_most_urgent_one_that_waits_goes_first() -> None:
    entered: list[str] = []

    async def play() -> None:
        turnstile, gate = Turnstile(1), asyncio.Event()

        async def pass_through(name: str, urgency: int) -> None:
            async with turnstile.passing(urgency):
                entered.append(name)
                await gate.wait()

        async with asyncio.TaskGroup() as tasks:
            for name, urgency in (("first", QUESTION), ("q", QUESTION), ("o", ORDER), ("c", CANCEL)):
                tasks.create_task(pass_through(name, urgency))
                await asyncio.sleep(0)
            gate.set()

    asyncio.run(play())
    assert entered == ["first", "c", "o", "q"]


def test_whoever_gives_up_waiting_takes_no_place_along() -> None:
    async def play() -> None:
        turnstile = Turnstile(1)

        async def wait() -> None:
            async with turnstile.passing(QUESTION):
                pass

        async with turnstile.passing(QUESTION):
            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.sleep(0)
        await asyncio.wait_for(wait(), 1)

    asyncio.run(play())


def test_a_venue_that_keeps_failing_is_asked_once_in_each_cool_down() -> None:
    time = Ticking()
    breaker = Breaker(monotonic=time.monotonic)
    for _ in range(MOST_FAILURES):
        assert breaker.lets_pass()
        breaker.note_silence()
    assert breaker.is_open
    assert not breaker.lets_pass()
    time.now += COOL_DOWN_S
    assert [breaker.lets_pass() for _ in range(2)] == [True, False]
    breaker.note_answer()
    assert breaker.lets_pass()
    assert breaker.lets_pass()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("99999999", 86_400.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_only_whole_seconds_are_a_time_to_wait(text: str | None, seconds: float | None) -> None:
    assert retry_after(text) == seconds
