"""However many malformed messages and requests come: none acts, none ends a process, none stays in memory."""

from __future__ import annotations

import gc
import random
import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError, validate_call

from executor.service import Service
from ledger.queue import ReceivedMessage
from tests.conftest import Proof
from tests.executor.world import World
from tests.faults.garbage import JUNK, TEXTS, bent_arguments, bent_document
from tests.tool_servers.bench import Bench
from tool_servers.orders.counter import Counter
from tool_servers.orders.tools import order_tools
from when_to_invest import events as ev
from when_to_invest.callers import local_caller
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import Fault
from when_to_invest.history import DecisionState

A_PROCESS = 500
"""Malformed things that one process meets before a fresh one takes over."""
WARM_UP = 4 * A_PROCESS
MOST_GROWTH_KIB = 48 * 1024
STATUS = Path("/proc/self/status")
GROUPS = ("main|paper|SPX", "main|paper|IXIC", "a|b|c", *TEXTS)


class Deaf:
    """A queue that takes every answer and never hands anything out."""

    def receive(self, **_: object) -> tuple[ReceivedMessage, ...]:
        return ()

    def delete(self, receipt: str) -> None:
        pass

    def extend(self, receipt: str, **_: object) -> None:
        pass

    def is_empty(self) -> bool:
        return True


@dataclass
class Memory:
    """Watches that the process grows no more once it is warm."""

    warm_kib: int = 0

    def look(self, count: int) -> None:
        gc.collect()  # what a process that ended leaves in cycles is the system's, not ours
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if count == WARM_UP:
            self.warm_kib = peak_kib
            assert peak_kib - resident_kib(peak_kib) < MOST_GROWTH_KIB, (
                "others' peak hides ours: start afresh"
            )
        elif count > WARM_UP:
            assert peak_kib - self.warm_kib < MOST_GROWTH_KIB, f"{count} things, {peak_kib} KiB"


def resident_kib(otherwise_kib: int) -> int:
    """Return what the process holds at this moment, where the system says so."""
    if not STATUS.is_file():
        return otherwise_kib
    said = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(said["VmRSS"].split()[0])


def a_process_each(seeds: Iterator[int]) -> Iterator[tuple[int, int, bool]]:
    """Yield (count, seed, whether a fresh process takes over)."""
    for count, seed in enumerate(seeds):
        yield count, seed, count % A_PROCESS == 0


def is_genuine(body: str, envelope: Envelope) -> bool:
    """Whether a spoilt text still says exactly what was sealed, as when only a blank was added."""
    try:
        return Envelope.model_validate_json(body).digest() == envelope.digest()
    except ValidationError:
        return False


def message_of(body: str, dice: random.Random, *, decision_id: str) -> ReceivedMessage:
    names = (decision_id, f"{decision_id}.2", *TEXTS)
    return ReceivedMessage(
        message_id=f"m-{dice.randrange(10**12)}",
        receipt="r",
        body=body,
        group=dice.choice(GROUPS),
        deduplication_id=dice.choice(names),
        receive_count=dice.randint(1, 7),
    )


def fresh_world() -> tuple[World, Service]:
    world = World()
    service = world.executor(queue=Deaf())
    service.start()
    return world, service


def fresh_desk() -> tuple[Bench, Callable[..., Any]]:
    """Return a desk in a new process, and its door.

    The door has a frame of its own because `validate_call` keeps the local names of whoever makes it. Made
    in the loop below it would keep the door before it, with its whole process, and that one the one before.
    """
    bench = Bench()
    counter = Counter(bench.desk(), lambda: local_caller("agent"))
    return bench, validate_call(order_tools(counter)[0].function)


@pytest.mark.proof
@pytest.mark.timeout(7200)
def test_no_malformed_envelope_trades_or_ends_the_executor(proof: Proof) -> None:
    memory = Memory()
    is_waiting = False
    for count, seed, is_fresh in a_process_each(proof.seeds(ci=1500, full=500_000)):
        if is_fresh or not is_waiting:
            world, service = fresh_world()
            envelope = world.gate.sealed(1 + count % 50)
            text = envelope.canonical().decode()
        if is_fresh:
            memory.look(count)
        dice = random.Random(seed)  # noqa: S311 - a schedule of damage, no secret
        body = bent_document(text, dice)
        if is_genuine(body, envelope):
            is_waiting = True
            continue
        service._intake.handle(message_of(body, dice, decision_id=envelope.content.decision_id))
        assert not world.venue.submits, (seed, body)
        state = service._parts.diary.decisions[envelope.content.decision_id].state
        assert state in {DecisionState.SEALED, DecisionState.REJECTED}
        is_waiting = state is DecisionState.SEALED


@pytest.mark.proof
@pytest.mark.timeout(7200)
def test_no_malformed_request_is_sealed_or_ends_the_desk(proof: Proof) -> None:
    memory, ends = Memory(), set[str]()
    for count, seed, is_fresh in a_process_each(proof.seeds(ci=1500, full=500_000)):
        if is_fresh:
            bench, propose = fresh_desk()
            memory.look(count)
        arguments = bent_arguments(random.Random(seed))  # noqa: S311 - as above
        end = said(propose, arguments)
        assert end in {"refused", "fault", "unreadable"}, (seed, arguments)
        assert not bench.queue.held
        ends.add(end)
    assert ends == {"refused", "fault", "unreadable"}
    assert "envelope_sealed" not in bench.kinds()


def said(propose: Any, arguments: dict[str, Any]) -> str:
    try:
        return str(propose(**arguments).verdict)
    except ValidationError:
        return "unreadable"
    except Fault as fault:
        return "fault" if fault.fix else "a fault without a way out"


def test_a_flood_of_refused_messages_is_remembered_up_to_a_bound() -> None:
    world, _ = fresh_world()
    mode, now = world.gate.mode, world.clock.now()
    for number in range(0, 30_000, 1000):
        world.journal.append(
            [
                ev.MessageRefused(
                    at=now, mode=mode, message_id=f"m-{number + item}", claimed_decision_id=None,
                    body_hash="0" * 64, code="unreadable_message", message="no envelope",
                )
                for item in range(1000)
            ]
        )  # fmt: skip
    diary = world.executor()._parts.diary
    assert len(diary.refused_messages) == 20_000
    assert "m-29999" in diary.refused_messages
    assert "m-0" not in diary.refused_messages


def test_the_damage_is_of_every_kind() -> None:
    world = World()
    text = world.gate.sealed().canonical().decode()
    bodies = {bent_document(text, random.Random(seed)) for seed in range(400)}  # noqa: S311 - as above
    readable = [body for body in bodies if body.startswith("{") and body.endswith("}")]
    assert len(bodies) > 300
    assert len(readable) > 50
    assert len({type(item) for item in JUNK}) >= 6
