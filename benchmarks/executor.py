"""How many orders an executor sends a second, and how soon after a message the venue hears of it.

The real executor on real files: queue, second judgement, journal, paper venue, each synced. Only
the limits are wide, or the executor would rightly refuse the thousandth order of a minute. The
orders of eight accounts wait in the queue, so that it is never short of work; for the waits they
come at a steady pace instead. Between rounds all of them fill and a day passes. `unsynced` is the
same with a journal that trusts the operating system to write, and says what the disk costs.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.row import Figure, Row, within
from benchmarks.sealed_orders import GROUPS, SEAL, SealedOrders, wide
from executor.collector import set_aside_what_stays
from executor.diary import Diary
from executor.identity import client_order_id
from executor.judgement import Authority
from executor.log import Log
from executor.market import HomeMarket
from executor.offload import OneThread
from executor.probe import NoProbe
from executor.receiving import Receiving
from executor.service import Parts, Service
from executor.serving import Serving
from executor.venues.paper import PaperVenue
from executor.venues.port import NewOrder, VenueOrder
from home.clock import FixedClock
from home.latch import Latch
from home.paths import Home
from home.settings import PaperSettings
from ledger.queue import OutgoingMessage, ReceivedMessage
from ledger.sqlite_journal import SqliteJournal, open_journal
from ledger.sqlite_queue import SqliteDeadLetters, SqliteQueue, SqliteReceiver
from policies.roll import Roll
from signing.eip712 import recover_address, typed_digest
from when_to_invest.domains import TEST_CHAIN_ID
from when_to_invest.keyholders import Anchors
from when_to_invest.values import Mode

EVENINGS: Final = tuple(datetime(2018, 6, day, 22, 0, tzinfo=UTC) for day in (4, 5, 6, 11, 12, 13))
TO_THE_OPEN: Final = timedelta(hours=16, minutes=31)
A_ROUND: Final = 20 * GROUPS
PACED_PER_S: Final = 100.0
SENT_PER_S: Final = 300.0
FIRST_BYTE_P99_MS: Final = 25.0


def rows() -> list[Row]:
    """Return the rate while the queue is full, and the waits at a steady pace, synced and not."""
    return list(_rows())


def _rows() -> Iterator[Row]:
    full = _measured(per_s=None, is_synced=True)
    yield within(
        f"orders sent, {GROUPS} groups",
        Figure(full.per_s, "orders/s", is_lower_better=False),
        bound=SENT_PER_S,
    )
    for name, is_synced in (("", True), (", unsynced", False)):
        paced = _measured(per_s=PACED_PER_S, is_synced=is_synced)
        for place, value in (("p50", paced.quantile_ms(50)), ("p99", paced.quantile_ms(99))):
            yield within(
                f"received to the venue{name}, {place}", Figure(value, "ms"), bound=FIRST_BYTE_P99_MS
            )


@dataclass
class Stamps:
    """When each decision's message was received and when the venue heard of its order, in seconds."""

    received_s: dict[str, float] = field(default_factory=dict)
    heard_s: dict[str, float] = field(default_factory=dict)
    answered_s: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        """Return the orders answered a second in the round in the middle."""
        return statistics.median(self.rates)

    def quantile_ms(self, percent: int) -> float:
        """Return how long that share of the messages waited at most."""
        return statistics.quantiles(self.waits_s, n=100)[percent - 1] * 1_000

    def end_round(self) -> None:
        """Keep what the round has shown."""
        self.rates.append((len(self.answered_s) - 1) / (self.answered_s[-1] - self.answered_s[0]))
        self.waits_s += [
            self.heard_s[client_order_id(name, slice_index=0, attempt=1)] - at
            for name, at in self.received_s.items()
        ]
        self.forget_round()

    def forget_round(self) -> None:
        """Forget the round."""
        self.received_s.clear()
        self.heard_s.clear()
        self.answered_s.clear()


class _StampedReceiver(SqliteReceiver):
    """Notes when a message is handed out."""

    def __init__(self, queue: SqliteQueue, stamps: Stamps) -> None:
        super().__init__(queue)
        take = self.receive

        def receive(*, max_messages: int, wait_s: float) -> tuple[ReceivedMessage, ...]:
            taken = take(max_messages=max_messages, wait_s=wait_s)
            for message in taken:
                stamps.received_s.setdefault(message.deduplication_id, time.perf_counter())
            return taken

        self.receive = receive


class _StampedVenue(PaperVenue):
    """Notes when it hears of an order, before it does anything else, and when it has answered."""

    stamps: Stamps

    async def submit(self, order: NewOrder) -> VenueOrder:
        self.stamps.heard_s[order.client_order_id] = time.perf_counter()
        answer = await super().submit(order)
        self.stamps.answered_s.append(time.perf_counter())
        return answer


@dataclass
class _Until:
    """Waits in real time until a round's orders were answered."""

    stamps: Stamps

    @property
    def is_over(self) -> bool:
        return len(self.stamps.answered_s) >= A_ROUND

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _measured(*, per_s: float | None, is_synced: bool) -> Stamps:
    with tempfile.TemporaryDirectory() as made:
        return asyncio.run(_serve(Home(Path(made)).make(), per_s=per_s, is_synced=is_synced))


async def _serve(home: Home, *, per_s: float | None, is_synced: bool) -> Stamps:
    """Serve one round after the other; the first one warms up."""
    clock, stamps = FixedClock(EVENINGS[0]), Stamps()
    async with AsyncExitStack() as stack:
        journal = open_journal(home.journal)
        stack.callback(journal.close)
        queue = SqliteQueue(home.queue, visibility_s=30, max_receives=5)
        stack.callback(queue.close)
        gate = SealedOrders(journal, HomeMarket(home), at=EVENINGS[0])
        if not is_synced:
            journal._connection.execute("PRAGMA synchronous = OFF")  # noqa: SLF001 - no setting offers it
        parts = _parts(home, journal, queue, stack=stack, clock=clock, stamps=stamps)
        service = Service(parts)
        await service.start()
        set_aside_what_stays()
        for number, evening in enumerate(EVENINGS):
            clock.move_to(evening)
            messages = gate.sealed_orders(range(number * A_ROUND, (number + 1) * A_ROUND), at=evening)
            sending = asyncio.create_task(_send(queue, messages, per_s=per_s))
            if per_s is None:
                await sending
            await Serving(service, parts).until_stopped(on_failure=_pass)
            await sending
            clock.move_to(evening + TO_THE_OPEN)
            stamps.end_round() if number else stamps.forget_round()
            while await service.step(wait_s=0.0):
                continue
    return stamps


async def _pass(_failure: Exception) -> None:
    """Nothing is at stake here."""


async def _send(queue: SqliteQueue, messages: Sequence[OutgoingMessage], *, per_s: float | None) -> None:
    """Queue everything at once, or at a pace."""
    if per_s is None:
        queue.send_together(messages)
        return
    started = time.perf_counter()
    for number, message in enumerate(messages):
        await asyncio.sleep(max(0.0, started + number / per_s - time.perf_counter()))
        await asyncio.to_thread(queue.send, message)


def _parts(
    home: Home,
    journal: SqliteJournal,
    queue: SqliteQueue,
    *,
    stack: AsyncExitStack,
    clock: FixedClock,
    stamps: Stamps,
) -> Parts:
    threads = [OneThread(name) for name in ("journal", "venue", "receive", "answer")]
    for thread in threads:
        stack.callback(thread.close)
    writes, venues, receives, answers = threads
    limits, market = wide(), HomeMarket(home)
    anchors = Anchors(
        mode=Mode.REPLAY,
        chain_id=TEST_CHAIN_ID,
        quorum=2,
        approvers={},
        seal_addresses=frozenset({SEAL.address}),
    )
    roll = Roll(anchors, typed_digest, recover_address)
    venue = _StampedVenue(
        home.paper_venue,
        mode=Mode.REPLAY,
        prices=market,
        clock=clock,
        settings=PaperSettings(),
        offload=venues,
    )
    venue.stamps = stamps
    stack.push_async_callback(venue.close)
    return Parts(
        diary=Diary(journal, clock=clock, mode=Mode.REPLAY, is_warranted=roll.follow(), offload=writes),
        queue=Receiving(
            _StampedReceiver(queue, stamps),
            SqliteDeadLetters(queue),
            receives=receives,
            answers=answers,
        ),
        venue=venue,
        switch=Latch(home.halts),
        market=market,
        authority=Authority(roll=roll, limits=limits, callers={"agent": limits}),
        patience=_Until(stamps),
        probe=NoProbe(),
        log=Log(io.StringIO()),
        visibility_s=30,
        max_receives=5,
    )
