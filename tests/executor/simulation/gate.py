"""The gate of a simulation: proposes, judges, seals and queues on a fold that it keeps."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ledger.live import LiveLedger
from policies.seal import seal
from signing.eip712 import typed_digest
from tests.executor.gatehouse import Gatehouse
from tests.executor.simulation.weather import Bad
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.domains import TEST_CHAIN_ID, SigningDomain
from when_to_invest.envelopes import Envelope
from when_to_invest.execution import (
    Execution,
    IcebergPlan,
    ImmediatePlan,
    PegPlan,
    PovPlan,
    ShortfallPlan,
    TwapPlan,
    VwapPlan,
)
from when_to_invest.intents import OrderIntent, Side, decision_id_of
from when_to_invest.motions import Endorsement, Motion
from when_to_invest.verdicts import Approved

if TYPE_CHECKING:
    from tests.executor.simulation.world import World

ACCOUNTS = ("main", "second")
INSTRUMENTS = ("SPX", "IXIC", "SPY")
CASH_USD = Decimal(200_000)
BODIES = ("", "{}", "null", "[]", '{"content":1}', "\x00", "<html>502</html>")


PLANS: tuple[Execution, ...] = (
    ImmediatePlan(),
    TwapPlan(duration_s=8, slices=3),
    VwapPlan(duration_s=8, volume_curve=(Decimal(2), Decimal(1))),
    ShortfallPlan(duration_s=8, slices=3, urgency=Decimal(2)),
    PovPlan(duration_s=6, participation_ratio=Decimal("0.2")),
    IcebergPlan(display_quantity=Decimal(4), duration_s=10),
    PegPlan(duration_s=8, reprice_after_s=2),
)


class Gate(Gatehouse):
    """Writes to the journal as the proposing server would."""

    def __init__(self, world: World) -> None:
        super().__init__(
            journal=world.journal,
            sender=world.queue,
            market=world.market,
            clock=world.clock,
            mode=world.mode,
        )
        self._world = world
        self.ledger = LiveLedger(world.journal, is_warranted=lambda event, home_id: True, kept=None)
        self.envelopes: list[Envelope] = []
        self._count = 0

    def fund(self) -> None:
        now = self.clock.now()
        self.journal.append(
            [
                ev.AccountFunded(at=now, mode=self.mode, account=account, cash_usd=CASH_USD)
                for account in ACCOUNTS
            ]
        )

    def propose_any(self) -> None:
        """Propose a purchase, or a sale of what is held, somewhere."""
        dice = self._world.dice
        self._count += 1
        account, instrument = dice.choice(ACCOUNTS), dice.choice(INSTRUMENTS)
        self.ledger.refresh()
        held = self.ledger.book.position(account, instrument).quantity
        is_sale = held >= 1 and dice.random() < 0.4
        intent = self.intent(
            self._count,
            account=account,
            instrument=instrument,
            side=Side.SELL if is_sale else Side.BUY,
            quantity=held if is_sale else Decimal(5 + self._count),
            limit_price_usd=Decimal(99 if is_sale else 101),
            execution=dice.choice(PLANS) if dice.random() < self._world.plans_share else None,
            proposed_at=self._now(),
        )
        envelope = self._sealed(intent)
        how = intent.execution.kind if intent.execution else "at once"
        self._world.say(f"propose {account} {instrument} {intent.side.value} {intent.quantity} {how}")
        if envelope is not None:
            self.envelopes.append(envelope)
            if dice.random() < 0.95:
                self.queue(envelope)

    def repeat_any(self) -> None:
        """Send an envelope again."""
        if self.envelopes:
            self._world.weather.note(Bad.DUPLICATE)
            self.queue(self._world.dice.choice(self.envelopes))

    def forge_any(self) -> None:
        """Send an envelope that was changed, or no envelope at all."""
        dice, weather = self._world.dice, self._world.weather
        if not self.envelopes:
            return
        envelope = dice.choice(self.envelopes)
        if dice.random() < 0.5:
            weather.note(Bad.FORGED)
            body = envelope.canonical().decode().replace('"quantity":"', '"quantity":"1')
        else:
            weather.note(Bad.POISON)
            body = dice.choice(BODIES)
        self.queue(envelope, body=body)

    def cancel_any(self) -> None:
        """Ask that a decision be cancelled."""
        if self.envelopes:
            self._world.weather.note(Bad.CANCEL_REQUESTED)
            decision_id = self._world.dice.choice(self.envelopes).content.decision_id
            self.journal.append(
                [ev.CancelRequested(at=self._now(), mode=self.mode, decision_id=decision_id, caller="agent")]
            )

    def halt(self, scope: str, state: TradingState) -> None:
        """Journal a halt."""
        self._world.weather.note(Bad.HALT_JOURNALLED)
        self._world.say(f"halt {scope} {state.value}")
        told = ev.TradingStateChanged(
            at=self._now(), mode=self.mode, scope=scope, state=state, by="operator", why="told to"
        )
        self.journal.append([told])

    def resume_all(self) -> None:
        """Lift what stands, as a quorum would; who signed is not this simulation's question."""
        self.ledger.refresh()
        for scope in list(self.ledger.book.standing.halts):
            self.ledger.refresh()
            standing = self.ledger.book.standing
            motion = Motion(
                purpose="Resume",
                summary="go on",
                mode=self.mode,
                requester="operator",
                serial=standing.serial,
                expires_at=self._now() + timedelta(hours=1),
                domain=self.domain,
            )
            self._world.weather.note(Bad.RESUMED)
            self.journal.append(
                [
                    ev.TradingResumed(
                        at=self._now(),
                        mode=self.mode,
                        scope=scope,
                        halts_hash=standing.hash_of(scope),
                        motion=motion,
                        endorsements=NOBODY,
                    )
                ]
            )

    @property
    def domain(self) -> SigningDomain:
        """Return what is named in what is sealed here."""
        return SigningDomain(home_id=self.journal.recorded[0].hash, chain_id=TEST_CHAIN_ID)

    def _now(self) -> datetime:
        return self._world.true_now()

    def _sealed(self, intent: OrderIntent) -> Envelope | None:
        now, name = self.clock.now(), decision_id_of(proposer="agent", request_id=intent.request_id)
        proposed = ev.IntentProposed(at=now, mode=self.mode, decision_id=name, caller="agent", intent=intent)
        self.journal.append([proposed])
        verdict = self._judged(intent, name, now)
        if not isinstance(verdict, Approved):
            return None
        envelope = seal(
            verdict,
            decision_id=name,
            approvals=[],
            signer=self.signer,
            typed_digest=typed_digest,
            ttl_s=self.limits.envelope_ttl_s,
            domain=self.domain,
        )
        sealed = ev.EnvelopeSealed(at=now, mode=self.mode, decision_id=name, envelope=envelope)
        self.journal.append([sealed])
        return envelope


NOBODY: tuple[Endorsement, ...] = ()
