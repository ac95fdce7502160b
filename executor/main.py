"""Assembles the executor process and keeps it running: the one place that makes its parts.

It holds the gate's public address and no key at all. Its outermost loop is the only place
that catches everything: it halts trading and ends.
"""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

from executor.braking import braked
from executor.collector import set_aside_what_stays
from executor.diary import Diary
from executor.judgement import Authority
from executor.lease import sole_executor
from executor.log import Log
from executor.market import HomeMarket
from executor.observing import observers_of
from executor.offload import OneThread
from executor.one_venue import demand_one_venue
from executor.patience import Patience, SignalPatience
from executor.probe import NoProbe, Probe
from executor.receiving import Receiving
from executor.service import Parts, Service
from executor.serving import LONGEST_PAUSE_S, MAX_FAILURES, Serving
from executor.venues.licensed import licensed
from executor.venues.opening import open_venue
from executor.venues.port import Venue, VenueProfile
from home.callers import OWN_CALLERS, RISK
from home.clock import Clock, clock_of
from home.latch import Latch
from home.paths import Home
from home.settings import OnLoss, QueueSettings, Settings, anchors_of, read_settings
from ledger.connect import open_receiving
from ledger.journal import Journal
from ledger.opening import open_ledger
from policies.caller_limits import limits_of_callers
from policies.limits import HARD_LIMITS, Limits, tighten
from policies.roll import Roll
from signing.eip712 import recover_address, typed_digest
from signing.places import trusted_seals
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode

IDLE_PAUSE_S: Final = 0.05
NOTHING_IN_DOUBT: Final = frozenset(
    {
        ErrorCode.ALREADY_RUNNING,
        ErrorCode.CLOCK_AHEAD,
        ErrorCode.CLOCK_BACK,
        ErrorCode.JOURNAL_CONFLICT,
        ErrorCode.QUEUE_MISSING,
        ErrorCode.QUEUE_UNAVAILABLE,
        ErrorCode.UNAUTHENTICATED,
        ErrorCode.VENUE_UNAVAILABLE,
    }
)
"""Faults that end the process without halting trading: nothing was done, nothing is unclear."""


def run(home: Home, *, until_idle: bool, probe: Probe | None = None) -> int:
    """Run the executor of `home` until a signal, or until nothing is left to do.

    With `until_idle` it returns once the queue is empty (messages in flight included), no
    order's fate is unknown and no working order can fill at the present clock. Returns 0.

    Raises:
        Fault: why it could not start or go on. Unless nothing is in doubt, trading was
            halted before, if the journal still took it.
    """
    return asyncio.run(_run(home, until_idle=until_idle, probe=probe or NoProbe()))


async def _run(home: Home, *, until_idle: bool, probe: Probe) -> int:
    patience = SignalPatience()
    async with AsyncExitStack() as stack:
        observers = stack.enter_context(observers_of(home))
        parts = assemble(home, stack=stack, patience=patience, probe=probe, log=observers.log)
        stack.enter_context(patience.until_signalled())
        service = Service(parts := observers.of(parts))
        await stack.enter_async_context(observers.watching(service, parts, is_needed=not until_idle))
        await keep_working(service, parts=parts, until_idle=until_idle)
    observers.log.say("stopped")
    return 0


async def keep_working(service: Service, *, parts: Parts, until_idle: bool) -> None:
    """Work until a signal or idleness; whatever ends it otherwise, and leaves a doubt, halts trading.

    Raises:
        Fault: why it could not go on; `internal` for a defect.
    """

    async def end(failure: Exception) -> None:
        await _end(service, failure, log=parts.log)

    try:
        start = _start(service, parts=parts)
        await (start if until_idle else braked(start, service=service, patience=parts.patience))
        set_aside_what_stays()
        if until_idle:
            await _until_idle(service, parts=parts)
        elif not parts.patience.is_over:
            await Serving(service, parts).until_stopped(on_failure=end)
    except Fault as fault:
        await end(fault)
        raise
    except Exception as error:
        await end(error)
        place = traceback.extract_tb(error.__traceback__)[-1]
        parts.log.say("defect", kind=type(error).__name__, place=f"{place.name}:{place.lineno}")
        raise Fault(
            ErrorCode.INTERNAL,
            f"the executor met {type(error).__name__} in {place.name} and halted trading",
            fix="read the executor's log; go on with `when-to-invest resume` once it is understood",
        ) from error


async def _end(service: Service, failure: Exception, *, log: Log) -> None:
    """Halt trading unless nothing is in doubt, and cancel what is stopped."""
    if not isinstance(failure, Fault):
        await _halt(service, log=log, why=f"{type(failure).__name__} in the executor")
    elif failure.code not in NOTHING_IN_DOUBT:
        await _halt(service, log=log, why=failure.code.value)
    await service.cancel_stopped()


def assemble(home: Home, *, stack: AsyncExitStack, patience: Patience, probe: Probe, log: Log) -> Parts:
    """Make every part from the home's settings; `stack` closes them.

    Raises:
        Fault: `already_running`, `mode_mismatch`, `key_missing`, `bad_config`,
            `looser_limit`, `queue_missing`, or `journal_unreadable`.
    """
    settings = read_settings(home.make())
    stack.enter_context(sole_executor(home))
    limits = tighten(HARD_LIMITS, settings.limits)
    roll = _roll(home, settings, quorum=limits.approver_quorum)
    authority = Authority(roll=roll, limits=limits, callers=_callers(settings, limits))
    clock, market = clock_of(home, settings.mode), HomeMarket(home)
    clock.now()
    venue = _venue(home, settings, clock=clock, market=market, stack=stack)
    demand_one_mode(settings.mode, venue.profile)
    if settings.mode is Mode.LIVE:
        venue = licensed(venue, home, settings, authority=authority, clock=clock)
    journal = open_ledger(settings.ledger, home)
    stack.callback(journal.close)
    diary = _diary(home, journal, clock=clock, authority=authority, offload=_thread("journal", stack))
    demand_one_venue(diary.open_decisions(), venue.profile.name)
    return Parts(
        diary=diary,
        switch=Latch(home.halts),
        queue=_queue(home, settings.queue, stack=stack),
        venue=venue,
        market=market,
        authority=authority,
        patience=patience,
        probe=probe,
        log=log,
        visibility_s=settings.queue.visibility_s,
        max_receives=settings.queue.max_receives,
        pairs=table.pairs if (table := settings.venues.get(settings.venue)) is not None else {},
    )


def _venue(
    home: Home, settings: Settings, *, clock: Clock, market: HomeMarket, stack: AsyncExitStack
) -> Venue:
    venue = open_venue(
        home,
        settings,
        prices=market,
        clock=clock,
        offload=_thread("venue", stack),
        environment=os.environ,
    )
    stack.push_async_callback(venue.close)
    return venue


def _thread(name: str, stack: AsyncExitStack) -> OneThread:
    thread = OneThread(name)
    stack.callback(thread.close)
    return thread


def _queue(home: Home, settings: QueueSettings, *, stack: AsyncExitStack) -> Receiving:
    ends = open_receiving(settings, home.queue)
    receives, answers = _thread("queue-receive", stack), _thread("queue", stack)
    return Receiving(ends.receiver, ends.dead_letters, receives=receives, answers=answers)


def _diary(home: Home, journal: Journal, *, clock: Clock, authority: Authority, offload: OneThread) -> Diary:
    return Diary(
        journal,
        clock=clock,
        mode=authority.roll.anchors.mode,
        is_warranted=authority.roll.follow(),
        demand_home=authority.demand_founders,
        shelf_in=home.root,
        offload=offload,
    )


def _roll(home: Home, settings: Settings, *, quorum: int) -> Roll:
    """Return whose keys count, founded on this process's own configuration alone."""
    trusted = trusted_seals(home, settings.signing)
    return Roll(anchors_of(settings, seal_addresses=trusted, quorum=quorum), typed_digest, recover_address)


def _callers(settings: Settings, limits: Limits) -> dict[str, Limits]:
    """Return everybody who may propose here with the limits of their orders, from this process's own copy.

    The orders server's own sales among them only where this copy, too, has them sold.
    """
    own = limits_of_callers(limits, {name: item.limits for name, item in settings.callers.items()})
    own_sales = frozenset() if settings.risk.on_loss is OnLoss.STOP else frozenset({RISK})
    return dict.fromkeys(OWN_CALLERS | own_sales | settings.callers.keys(), limits) | own


def demand_one_mode(mode: Mode, profile: VenueProfile) -> None:
    """Refuse a venue of another mode: a replay clock never meets a live venue.

    Raises:
        Fault: `mode_mismatch`.
    """
    if profile.mode is not mode:
        raise Fault(
            ErrorCode.MODE_MISMATCH,
            f"the venue {profile.name} is {profile.mode.value}, this home is {mode.value}",
            fix="use a venue of the home's own mode",
        )


async def _start(service: Service, *, parts: Parts) -> None:
    async def start() -> bool:
        await service.start()
        parts.log.say("started", at=parts.diary.now())
        return False

    await _repeat(start, service=service, parts=parts)


async def _until_idle(service: Service, *, parts: Parts) -> None:
    async def step() -> bool:
        if await service.step(wait_s=0.0):
            return True
        if await service.is_idle():
            return False
        await parts.patience.pause(IDLE_PAUSE_S)
        return True

    await _repeat(step, service=service, parts=parts)


async def _repeat(work: Callable[[], Awaitable[bool]], *, service: Service, parts: Parts) -> None:
    """Work until nothing is left to do or a signal comes; try again after what time can heal."""
    failures, is_busy = 0, True
    while is_busy and not parts.patience.is_over:
        try:
            is_busy = await work()
            failures = 0
        except Fault as fault:
            failures += 1
            if not fault.is_retryable or failures >= MAX_FAILURES:
                raise
            parts.log.say("retrying", code=fault.code.value, failures=failures)
            await service.cancel_stopped()
            await parts.patience.pause(min(LONGEST_PAUSE_S, 0.1 * 2**failures))


async def _halt(service: Service, *, log: Log, why: str) -> None:
    """Halt by latch and journal, whichever still works, and cancel what is open."""
    try:
        await service.brake.pull(why=why)
    except Exception as error:  # noqa: BLE001 - the outermost loop: what is open is cancelled all the same
        code = error.code.value if isinstance(error, Fault) else type(error).__name__
        log.say("halt_not_journalled", code=code)
    finally:
        await service.cancel_stopped()
