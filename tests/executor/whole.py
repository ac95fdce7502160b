"""A desk with its dead letters and an executor: both real, on one journal, queue, venue and clock."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import timedelta

from executor.diary import Diary
from executor.judgement import Authority
from executor.log import Log
from executor.probe import NoProbe, Probe
from executor.receiving import Receiving
from executor.service import Parts
from home.callers import RISK
from home.clock import Clock
from home.settings import anchors_of
from ledger.live import LiveLedger
from policies.limits import HARD_LIMITS, Limits
from policies.roll import Roll
from signing.eip712 import recover_address, typed_digest
from tests.executor.world import Executor
from tests.fakes.fake_market import SPX
from tests.fakes.fake_venue import FakeVenue
from tests.fakes.memory_latch import MemoryLatch
from tests.tool_servers.bench import ALICE, BOB, NOW, SEAL, Bench, funding
from tool_servers.orders.court import Court, Signatures
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.outbox import Outbox
from tool_servers.orders.redrive import LetterDesk
from tool_servers.orders.stops import SignedResumption, StopDesk
from tool_servers.orders.unwinding import Unwinder
from when_to_invest import events as ev
from when_to_invest import keyholders as kh
from when_to_invest.motions import Endorsement, Motion, motion_typed_data
from when_to_invest.remedies import RESUME, halts_in_words, resume_details
from when_to_invest.values import Mode

INSTRUMENTS = ("SPX", "IXIC")
CALLERS = ("agent", "another")


class NoPatience:
    """Never waits; nothing here needs time to pass."""

    is_over = False

    async def pause(self, seconds: float) -> None:
        """Return at once."""


@dataclass
class Whole(Bench):
    """Everything between a proposal and the venue."""

    time: Clock | None = None
    """In the place of the bench's own clock."""
    limits: Limits = HARD_LIMITS
    venue: FakeVenue = field(default_factory=FakeVenue)
    latch: MemoryLatch = field(default_factory=MemoryLatch)

    def __post_init__(self) -> None:
        self.market.instruments = tuple(SPX.model_copy(update={"id": name}) for name in INSTRUMENTS)
        self.market.bars["IXIC"] = self.market.bars["SPX"]
        people = self.settings.approvers.items()
        founders = tuple(kh.Approver(name=name, address=address) for name, address in people)
        founded = kh.ApproversFounded(at=NOW, mode=Mode.REPLAY, approvers=founders)
        self.journal.append([funding(), founded])

    @property
    def shared(self) -> Clock:
        """Return the clock of every process."""
        return self.time or self.clock

    def roll(self) -> Roll:
        anchors = anchors_of(self.settings, seal_addresses=frozenset({SEAL.address}), quorum=2)
        return Roll(anchors, typed_digest, recover_address)

    def desk(self) -> ProposalDesk:
        """Return a fresh proposing process."""
        roll = self.roll()
        ledger = LiveLedger(self.journal, is_warranted=roll.follow())
        ledger.refresh()
        signatures = Signatures(SEAL, typed_digest, recover_address)
        clock = self.shared
        court = Court(self.settings, self.limits, clock, self.market, signatures, roll, switch=self.latch)
        outbox = Outbox(self.journal, ledger, self.queue, clock, self.latch)
        stops = StopDesk(self.journal, ledger, clock, Mode.REPLAY, self.latch, roll)
        unwinder = Unwinder(self.journal, ledger, court)
        return ProposalDesk(self.journal, ledger, court, outbox, stops, unwinder)

    def letters(self) -> LetterDesk:
        return LetterDesk(self.desk())

    def executor(self, *, probe: Probe | None = None) -> Executor:
        """Return a fresh executor process, not yet started."""
        roll = self.roll()
        return Executor(
            Parts(
                diary=Diary(self.journal, clock=self.shared, mode=Mode.REPLAY, is_warranted=roll.follow()),
                queue=Receiving(self.queue, self.queue),
                venue=self.venue,
                switch=self.latch,
                market=self.market,
                authority=Authority(
                    roll=roll, limits=self.limits, callers=dict.fromkeys((*CALLERS, RISK), self.limits)
                ),
                patience=NoPatience(),
                probe=probe or NoProbe(),
                log=Log(io.StringIO()),
                visibility_s=30,
                max_receives=self.queue.max_receives,
            )
        )

    def work(self, *, rounds: int = 3, probe: Probe | None = None) -> None:
        """Let a fresh executor work until nothing happens, for a few rounds at most."""
        service = self.executor(probe=probe)
        service.start()
        for _ in range(rounds):
            if not service.step(wait_s=0):
                break

    def fold(self) -> LiveLedger:
        """Fold the journal anew."""
        ledger = LiveLedger(self.journal, is_warranted=self.roll().follow())
        ledger.refresh()
        return ledger

    def resumption(self, scope: str) -> SignedResumption:
        """Return what alice and bob sign to lift the halts that stand in a scope now."""
        ledger = self.fold()
        standing, roll = ledger.book.standing, self.desk().court.roll
        motion = Motion(
            purpose=RESUME,
            summary="go on",
            details=resume_details(
                scope=scope,
                halts_hash=standing.hash_of(scope),
                lifts=halts_in_words(standing.standing(scope)),
            ),
            mode=Mode.REPLAY,
            requester="operator",
            known_by="local tests",
            serial=standing.serial,
            expires_at=self.shared.now() + timedelta(hours=1),
            domain=roll.domain,
        )
        return SignedResumption(scope=scope, motion=motion, endorsements=_endorsed(motion))

    def resume(self, scope: str) -> None:
        stops = self.desk().stops
        if stops is not None:
            stops.resume(self.resumption(scope))

    def happened(self, *kinds: type[ev.Event]) -> list[ev.Event]:
        return [item.event for item in self.journal.recorded if isinstance(item.event, kinds)]


def _endorsed(motion: Motion) -> tuple[Endorsement, ...]:
    digest = typed_digest(motion_typed_data(motion))
    return tuple(
        Endorsement(approver=name, address=key.address, signature=key.sign_digest(digest))
        for name, key in (("alice", ALICE), ("bob", BOB))
    )
