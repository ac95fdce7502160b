"""Assembles what one executor does out of what it is given.

Stage: once, before the executor starts. It decides nothing and calls nothing that looks or writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from executor.brake import Brake
from executor.cancelling import Canceller
from executor.children import Children
from executor.dead_letters import DeadLetterWatch
from executor.diary import Diary
from executor.doors import Doors
from executor.intake import Intake
from executor.judgement import Authority, Judgement
from executor.log import Log
from executor.market import Market
from executor.patience import Patience
from executor.probe import Probe
from executor.receiving import Receiving
from executor.reconciliation.comparison import Pair
from executor.reconciliation.reconciler import Reconciler
from executor.recovery import Recovery
from executor.scheduler import Means, Scheduler
from executor.sending import Dispatcher
from executor.sentry import Sentry
from executor.submission import Submission
from executor.taking import Taking
from executor.telemetry.port import NoTelemetry, Telemetry
from executor.valuation import Valuation
from executor.venue_watch import VenueWatch
from executor.venues.port import Venue
from executor.working import Working
from home.latch import Switch


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything one executor is made of."""

    diary: Diary
    queue: Receiving
    venue: Venue
    switch: Switch
    market: Market
    authority: Authority
    patience: Patience
    probe: Probe
    log: Log
    visibility_s: int
    max_receives: int
    telemetry: Telemetry = field(default_factory=NoTelemetry)
    pairs: Mapping[str, Pair] = field(default_factory=dict)
    """Base and quote asset of what is traded; an instrument and US dollars where nothing is said."""


@dataclass(frozen=True, slots=True)
class Members:
    """Everything one executor does, each member one thing of it."""

    brake: Brake
    canceller: Canceller
    recovery: Recovery
    working: Working
    sentry: Sentry
    venue_watch: VenueWatch
    valuation: Valuation
    watch: DeadLetterWatch
    scheduler: Scheduler
    intake: Intake
    taking: Taking
    reconciler: Reconciler


@dataclass(frozen=True, slots=True)
class _Hands:
    """What sends, follows and cancels orders; `doors` keeps two hands off one group."""

    brake: Brake
    judgement: Judgement
    canceller: Canceller
    submission: Submission
    children: Children
    recovery: Recovery
    working: Working
    doors: Doors


def assembled(parts: Parts) -> Members:
    """Return the members of one executor made of `parts`."""
    diary, venue, log = parts.diary, parts.venue, parts.log
    hands = _hands(parts)
    watch = DeadLetterWatch(
        diary=diary,
        queue=parts.queue,
        judgement=hands.judgement,
        log=log,
        max_receives=parts.max_receives,
    )
    intake = _intake(parts, hands, watch)
    return Members(
        brake=hands.brake,
        canceller=hands.canceller,
        recovery=hands.recovery,
        working=hands.working,
        sentry=Sentry(diary=diary, venue=venue, brake=hands.brake, log=log),
        venue_watch=VenueWatch(diary=diary, venue=venue, log=log),
        valuation=Valuation(diary=diary, market=parts.market, limits=parts.authority.limits, log=log),
        watch=watch,
        scheduler=_scheduler(parts, hands),
        intake=intake,
        taking=Taking(queue=parts.queue, intake=intake, watch=watch, patience=parts.patience),
        reconciler=Reconciler(diary=diary, venue=venue, log=log, pairs=parts.pairs),
    )


def _hands(parts: Parts) -> _Hands:
    diary, venue, log = parts.diary, parts.venue, parts.log
    brake = Brake(diary=diary, switch=parts.switch, log=log)
    judgement = Judgement(authority=parts.authority, diary=diary, market=parts.market, switch=parts.switch)
    canceller = Canceller(diary=diary, venue=venue, brake=brake, log=log)
    submission = _submission(parts, brake)
    return _Hands(
        brake=brake,
        judgement=judgement,
        canceller=canceller,
        submission=submission,
        children=Children(
            diary=diary, judgement=judgement, brake=brake, canceller=canceller, profile=venue.profile
        ),
        recovery=Recovery(
            diary=diary, venue=venue, log=log, patience=parts.patience, in_flight=submission.in_flight
        ),
        working=Working(diary=diary, venue=venue, canceller=canceller, probe=parts.probe, log=log),
        doors=Doors(),
    )


def _submission(parts: Parts, brake: Brake) -> Submission:
    return Submission(
        diary=parts.diary,
        venue=parts.venue,
        brake=brake,
        probe=parts.probe,
        log=parts.log,
        telemetry=parts.telemetry,
    )


def _scheduler(parts: Parts, hands: _Hands) -> Scheduler:
    return Scheduler(
        Means(
            diary=parts.diary,
            venue=parts.venue,
            children=hands.children,
            submission=hands.submission,
            recovery=hands.recovery,
            working=hands.working,
            doors=hands.doors,
            log=parts.log,
        )
    )


def _dispatcher(parts: Parts, hands: _Hands) -> Dispatcher:
    return Dispatcher(
        diary=parts.diary,
        judgement=hands.judgement,
        venue=parts.venue,
        brake=hands.brake,
        probe=parts.probe,
        children=hands.children,
        submission=hands.submission,
        patience=parts.patience,
        telemetry=parts.telemetry,
    )


def _intake(parts: Parts, hands: _Hands, watch: DeadLetterWatch) -> Intake:
    return Intake(
        diary=parts.diary,
        queue=parts.queue,
        dispatcher=_dispatcher(parts, hands),
        watch=watch,
        recovery=hands.recovery,
        doors=hands.doors,
        brake=hands.brake,
        probe=parts.probe,
        log=parts.log,
        visibility_s=parts.visibility_s,
        venue_name=parts.venue.profile.name,
        telemetry=parts.telemetry,
    )
