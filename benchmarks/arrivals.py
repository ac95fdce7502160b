"""How long proposals wait that come whenever they come, at a steady rate, as from many agents.

Open loop: a proposal's wait counts from the moment it was due, so that one slow answer delays
no later question and hides no wait. Another process's part is played as well: what was queued
is taken off by somebody who writes to the same journal. `in memory` is the same on files that
are never synced. The real desk on real files; only the limits are wide.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.proposals import QUEUED_P99_MS, measured_desk, propose
from benchmarks.row import Figure, Row, within
from ledger.sqlite_journal import open_journal
from tool_servers.orders.desk import ProposalDesk
from when_to_invest.events import EnvelopeRejected
from when_to_invest.history import DecisionState
from when_to_invest.values import Mode

RATES_PER_S: Final = (100, 300)
LASTING_S: Final = 10.0
WARM_UP: Final = 32
AT_ONCE: Final = 64
TAKEN_OFF_EVERY_S: Final = 0.25
SEED: Final = 7
UNSYNCED: Final = Path("/dev/shm")  # noqa: S108 - where Linux keeps files that are never synced


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds from when a proposal was due until its answer, and answers a second."""

    p50_ms: float
    p99_ms: float
    per_s: float


def rows() -> list[Row]:
    """Return the waits at each rate, synced and (where there is such a place) not."""
    return [row for rate in RATES_PER_S for row in _rows(rate)]


def _rows(rate: int) -> Iterator[Row]:
    for place, words in ((None, ""), (UNSYNCED, ", in memory")):
        if place is not None and not place.is_dir():
            continue
        with tempfile.TemporaryDirectory(dir=place) as made:
            waits = waits_at(rate, root=Path(made))
        name = f"propose to queued, {rate}/s{words}"
        yield within(f"{name}, p50", Figure(waits.p50_ms, "ms"), bound=QUEUED_P99_MS)
        yield within(f"{name}, p99", Figure(waits.p99_ms, "ms"), bound=QUEUED_P99_MS)


def waits_at(rate: int, *, root: Path, lasting_s: float = LASTING_S, seed: int = SEED) -> Waits:
    """Propose at random moments, `rate` a second on average, and return how long each waited."""
    due_s = list(_arrivals(rate, lasting_s=lasting_s, seed=seed))
    desk = measured_desk(root)
    with closing(desk.journal), ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda number: propose(desk, number), range(WARM_UP)))
        with _taking_off(desk, root):
            started = time.perf_counter()

            def one(number: int) -> float:
                propose(desk, WARM_UP + number)
                return time.perf_counter() - started - due_s[number]

            asked = []
            for number, due in enumerate(due_s):
                time.sleep(max(0.0, started + due - time.perf_counter()))
                asked.append(pool.submit(one, number))
            waits = [each.result() for each in asked]
            taken_s = time.perf_counter() - started
    return Waits(
        p50_ms=statistics.median(waits) * 1_000,
        p99_ms=statistics.quantiles(waits, n=100)[98] * 1_000,
        per_s=len(waits) / taken_s,
    )


def _arrivals(rate: int, *, lasting_s: float, seed: int) -> Iterator[float]:
    """Yield the moments of a Poisson process, in seconds from its start."""
    chance = random.Random(seed)  # noqa: S311 - arrivals, not secrets
    at = chance.expovariate(rate)
    while at < lasting_s:
        yield at
        at += chance.expovariate(rate)


@contextmanager
def _taking_off(desk: ProposalDesk, root: Path) -> Iterator[None]:
    """Take off what was queued, as another process would, until the body is over."""
    is_over = threading.Event()

    def take_off() -> None:
        with closing(open_journal(root / "journal.sqlite")) as journal:
            while not is_over.wait(TAKEN_OFF_EVERY_S):
                journal.append([*_rejections(desk)])

    taker = threading.Thread(target=take_off)
    taker.start()
    try:
        yield
    finally:
        is_over.set()
        taker.join()


def _rejections(desk: ProposalDesk) -> Iterator[EnvelopeRejected]:
    now, decisions = desk.court.clock.now(), desk.ledger.decisions
    for name in [*desk.ledger.book.reservations]:
        if decisions[name].state is DecisionState.QUEUED:
            yield EnvelopeRejected(
                at=now, mode=Mode.REPLAY, decision_id=name, code="measured", message="taken off"
            )
