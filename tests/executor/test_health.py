"""When an executor is ready, what it says of itself, and that nobody can hold it up by asking."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor import health_check
from executor.health import STALE_AFTER_S, Health, sources_of
from executor.health_server import MOST_AT_ONCE, HealthServer
from tests.executor.world import World
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.orders import OrderStep
from when_to_invest.values import Mode
from when_to_invest.venue_status import TradingStatus


class Died(BaseException):
    """The process is gone."""


class Watched:
    """A started executor in memory and its health; `now_s` is the monotonic clock."""

    def __init__(self) -> None:
        self.world, self.now_s, self.has_recovered = World(), 0.0, True
        parts = self.world.parts()
        service = self.world.executor().real
        self.sources = sources_of(service, parts, has_recovered=lambda: self.has_recovered)
        self.health = Health(self.sources, lambda: self.now_s)

    def with_source(self, **changed: Callable[[], object]) -> Health:
        self.health = Health(replace(self.sources, **changed), lambda: self.now_s)  # type: ignore[arg-type]
        return self.health

    def looked(self) -> Health:
        asyncio.run(self.health.look())
        return self.health


def failing(code: ErrorCode) -> Callable[[], Awaitable[object]]:
    async def fail() -> object:
        raise Fault(code, "no", fix="none")

    return fail


def test_it_is_ready_once_it_has_recovered_and_everything_answered() -> None:
    watched = Watched()
    assert not watched.health.report().is_ready
    report = watched.looked().report()
    assert report.is_ready
    assert set(report.checks.values()) == {"ok"}
    assert (report.lanes_in_hand, report.unknown_orders, report.oldest_unknown_age_s) == (0, 0, None)


def test_before_it_has_recovered_it_is_not() -> None:
    watched = Watched()
    watched.has_recovered = False
    assert watched.looked().report().checks["recovered"] == "not yet"


def test_told_to_stop_it_is_not_ready_at_once() -> None:
    watched = Watched()
    watched.looked()
    watched.world.patience.is_over = True
    assert watched.health.report().checks["serving"] == "stopping"
    assert not watched.health.report().is_ready


@pytest.mark.parametrize("part", ["journal", "queue"])
def test_a_part_that_fails_is_named_with_why(part: str) -> None:
    watched = Watched()
    watched.with_source(**{part: failing(ErrorCode.STORAGE_FAILED)})
    checks = watched.looked().report().checks
    assert {name for name, found in checks.items() if found != "ok"} == {part}
    assert checks[part] == "storage_failed"


def test_a_part_that_has_not_answered_for_long_does_not_answer() -> None:
    watched = Watched()
    watched.looked()
    watched.now_s = STALE_AFTER_S
    assert watched.health.report().is_ready
    watched.now_s = STALE_AFTER_S + 0.1
    assert watched.health.report().checks["journal"] == "no answer"


def test_a_journal_that_hangs_does_not_keep_the_queue_from_being_looked_at() -> None:
    watched = Watched()

    async def hang() -> object:
        return await asyncio.Event().wait()

    async def look() -> dict[str, str]:
        health = watched.with_source(journal=hang)
        looking = asyncio.create_task(health.keep_looking(pause=lambda _: asyncio.sleep(0)))
        for _ in range(5):
            await asyncio.sleep(0)
        looking.cancel()
        return health.report().checks

    checks = asyncio.run(look())
    assert (checks["journal"], checks["queue"]) == ("no answer", "ok")


def test_an_unanswered_stranger_in_the_journal_is_not_ready() -> None:
    watched = Watched()
    decision_id = watched.world.gate.propose(1)
    assert watched.looked().report().is_ready
    watched.world.journal.append(
        [
            ev.OrderMoved(
                at=watched.world.clock.now(),
                mode=Mode.REPLAY,
                decision_id=decision_id,
                client_order_id="c-1",
                step=OrderStep.ACKNOWLEDGED,
            )
        ]
    )
    assert watched.looked().report().checks["journal"] != "ok"
    assert not watched.health.report().is_ready


def test_a_venue_that_is_down_is_not_ready() -> None:
    watched = Watched()
    watched.with_source(venue=lambda: TradingStatus.DOWN)
    assert watched.looked().report().checks["venue"] == "down"


def test_the_age_of_the_oldest_unknown_order_is_told() -> None:
    watched = Watched()
    world = watched.world
    decision_id = world.gate.propose(1)

    class DiesBeforeSending:
        def reached(self, point: object) -> None:
            if point == "send_intended":
                raise Died

    service = world.executor(probe=DiesBeforeSending())
    service.start()
    with pytest.raises(Died):
        service.step(wait_s=0)
    fresh = Watched.__new__(Watched)
    fresh.world, fresh.now_s = world, 0.0
    parts = world.parts()
    health = Health(sources_of(world.executor().real, parts, has_recovered=lambda: True), lambda: 0.0)
    world.clock.move_to(world.clock.now() + timedelta(seconds=90))
    report = health.report()
    assert (report.unknown_orders, report.oldest_unknown_age_s) == (1, 90.0)
    assert world.decision(decision_id).orders


async def asked(url: str, request: bytes) -> tuple[bytes, bytes]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


def served(tmp_path: Path, requests: list[bytes], health: Health) -> list[tuple[bytes, bytes]]:
    async def serve() -> list[tuple[bytes, bytes]]:
        async with HealthServer(health).open("127.0.0.1", 0, told_in=tmp_path / "run" / "x.health") as url:
            return [await asked(url, request) for request in requests]

    return asyncio.run(serve())


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def test_liveness_and_readiness_are_answered_with_figures(tmp_path: Path) -> None:
    health = Watched().looked()
    live, ready = served(tmp_path, [get("/livez"), get("/readyz?verbose")], health)
    assert live[0].startswith(b"HTTP/1.1 200")
    assert ready[0].startswith(b"HTTP/1.1 200")
    assert set(json.loads(ready[1])) == {
        "ready",
        "checks",
        "epoch",
        "lanes_in_hand",
        "unknown_orders",
        "oldest_unknown_age_s",
    }


def test_what_is_not_ready_says_so_by_status(tmp_path: Path) -> None:
    ((head, body),) = served(tmp_path, [get("/readyz")], Watched().health)
    assert head.startswith(b"HTTP/1.1 503")
    assert json.loads(body)["ready"] is False


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/"), b"404"),
        (get("/../etc/passwd"), b"404"),
        (b"POST /livez HTTP/1.1\r\n\r\n", b"405"),
        (b"\r\n\r\n", b"405"),
    ],
)
def test_nothing_else_is_answered(tmp_path: Path, request_: bytes, status: bytes) -> None:
    ((head, _),) = served(tmp_path, [request_], Watched().health)
    assert head.split(b" ")[1] == status


def test_a_request_that_never_ends_is_cut(tmp_path: Path) -> None:
    ((head, body),) = served(tmp_path, [b"G" * 100_000], Watched().health)
    assert (head, body) == (b"", b"")


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer_and_no_more(request_: bytes) -> None:
    answer = HealthServer(Watched().health).response(request_ + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 ")


def test_those_who_ask_and_wait_keep_nobody_else_from_an_answer_for_long(tmp_path: Path) -> None:
    async def serve() -> bytes:
        async with HealthServer(Watched().health).open("127.0.0.1", 0, told_in=tmp_path / "h") as url:
            host, _, port = url.removeprefix("http://").rpartition(":")
            idle = [await asyncio.open_connection(host, int(port)) for _ in range(MOST_AT_ONCE)]
            head = b""
            while not head:
                try:
                    head, _ = await asked(url, get("/livez"))
                except OSError:
                    continue
            for _, writer in idle:
                writer.close()
            return head

    assert asyncio.run(asyncio.wait_for(serve(), 30)).startswith(b"HTTP/1.1 200")


def test_the_check_reads_the_address_that_the_server_wrote(tmp_path: Path) -> None:
    file = tmp_path / "run" / health_check.FILE
    health = Watched().looked()

    async def check() -> tuple[int, int]:
        async with HealthServer(health).open("127.0.0.1", 0, told_in=file):
            ask = asyncio.get_running_loop().run_in_executor
            environment = {"WHEN_TO_INVEST_HOME": str(tmp_path)}
            ready = await ask(None, health_check.main, [], environment)
            return ready, await ask(None, health_check.main, ["live"], environment)

    assert asyncio.run(check()) == (0, 0)
    assert not file.exists()


def test_without_a_running_executor_the_check_fails(tmp_path: Path) -> None:
    assert health_check.main([], {"WHEN_TO_INVEST_HOME": str(tmp_path)}) == 1
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / health_check.FILE).write_text('{"url": "http://127.0.0.1:9"}')
    assert health_check.main([], {"WHEN_TO_INVEST_HOME": str(tmp_path)}) == 1


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    async def serve(port: int) -> None:
        async with HealthServer(Watched().health).open("127.0.0.1", port, told_in=tmp_path / "h"):
            pass

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Fault) as caught:
            asyncio.run(serve(taken.getsockname()[1]))
    assert caught.value.code is ErrorCode.PORT_BUSY
