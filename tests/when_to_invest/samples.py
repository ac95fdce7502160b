"""Small true-looking values for the core's tests: one decision's events, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from when_to_invest import events as ev
from when_to_invest import keyholders as kh
from when_to_invest import workings as wk
from when_to_invest.approvals import Approval
from when_to_invest.breakers import TradingState
from when_to_invest.domains import SigningDomain
from when_to_invest.envelopes import Envelope, EnvelopeContent
from when_to_invest.execution import Ending, TwapPlan
from when_to_invest.intents import ChainIntent, OrderIntent, Side, TimeInForce, decision_id_of
from when_to_invest.letters import Answer, DeadLetterAnswered, DeadLetterArrived
from when_to_invest.marks import AccountMarked, Mark, VenueReported
from when_to_invest.motions import Endorsement, Motion
from when_to_invest.orders import ORDER_LIFE, OrderState, OrderStep
from when_to_invest.reconciliation import (
    Balance,
    BalancesTaken,
    ReconciliationAgreed,
    ReconciliationDiffered,
    Subject,
)
from when_to_invest.values import Mode
from when_to_invest.venue_status import TradingStatus
from when_to_invest.verdicts import Reason

NOW = datetime(2018, 6, 1, 21, 0, tzinfo=UTC)
ADDRESS = "0x" + "a1" * 20
SIGNATURE = "0x" + "0b" * 65
HASH = "ab" * 32
REASON = Reason(
    code="approval_needed",
    rule="approval_threshold",
    limit="10000",
    attempted="12000",
    overage="2000",
    unit="USD",
    fix="ask one approver to sign",
)


def order_intent(**changes: Any) -> OrderIntent:
    given: dict[str, Any] = {
        "mode": Mode.REPLAY,
        "account": "main",
        "venue": "paper",
        "instrument": "SPX",
        "side": Side.BUY,
        "quantity": Decimal("3.5"),
        "limit_price_usd": Decimal("2750.25"),
        "time_in_force": TimeInForce.DAY,
        "proposer": "agent",
        "request_id": "r-1",
        "proposed_at": NOW,
    }
    return OrderIntent(**given | changes)


def chain_intent(**changes: Any) -> ChainIntent:
    given: dict[str, Any] = {
        "mode": Mode.REPLAY,
        "account": "main",
        "chain_id": 31337,
        "token": None,
        "recipient": ADDRESS,
        "amount": Decimal("0.25"),
        "proposer": "agent",
        "request_id": "c-1",
        "proposed_at": NOW,
    }
    return ChainIntent(**given | changes)


def motion(purpose: str, **changes: Any) -> Motion:
    given: dict[str, Any] = {
        "purpose": purpose,
        "summary": "what is asked for",
        "mode": Mode.REPLAY,
        "requester": "operator",
        "serial": 1,
        "expires_at": NOW + timedelta(hours=1),
        "domain": SigningDomain(home_id=HASH, chain_id=31_337),
    }
    return Motion(**given | changes)


ENDORSEMENT = Endorsement(approver="alice", address=ADDRESS, signature=SIGNATURE)


@dataclass(frozen=True)
class Story:
    """Makes the events of one decision; `n` tells decisions apart."""

    intent: OrderIntent | ChainIntent
    n: int = 1
    at: datetime = NOW

    @property
    def decision_id(self) -> str:
        return decision_id_of(proposer="agent", request_id=f"r-{self.n}")

    @property
    def client_order_id(self) -> str:
        return f"o-{self.n}"

    @property
    def _about(self) -> dict[str, Any]:
        return {"at": self.at, "mode": self.intent.mode, "decision_id": self.decision_id}

    def proposed(self) -> ev.IntentProposed:
        return ev.IntentProposed(**self._about, caller="agent", intent=self.intent)

    def judged(
        self, outcome: ev.Outcome = ev.Outcome.APPROVED, judge: ev.Judge = ev.Judge.GATE
    ) -> ev.IntentJudged:
        is_approved = outcome is ev.Outcome.APPROVED
        return ev.IntentJudged(
            **self._about,
            judge=judge,
            outcome=outcome,
            reasons=() if is_approved else (REASON,),
            approvals_needed=1 if outcome is ev.Outcome.HELD else 0,
            facts_hash=HASH,
            facts_json="{}",
            limits_hash=HASH,
        )

    def approval(self) -> Approval:
        return Approval(
            decision_id=self.decision_id,
            intent_hash=self.intent.digest(),
            mode=self.intent.mode,
            approver="alice",
            address=ADDRESS,
            expires_at=self.at + timedelta(hours=1),
            signature=SIGNATURE,
        )

    def approved(self) -> ev.ApprovalGiven:
        return ev.ApprovalGiven(**self._about, approval=self.approval())

    def declined(self) -> ev.ApprovalDeclined:
        return ev.ApprovalDeclined(**self._about, approver="alice", why="too much at once")

    def envelope(self) -> Envelope:
        content = EnvelopeContent(
            decision_id=self.decision_id,
            mode=self.intent.mode,
            intent=self.intent,
            intent_hash=self.intent.digest(),
            facts_hash=HASH,
            limits_hash=HASH,
            approvals=(self.approval(),),
            sealed_at=self.at,
            expires_at=self.at + timedelta(minutes=15),
        )
        return Envelope(content=content, seal_address=ADDRESS, seal=SIGNATURE)

    def sealed(self) -> ev.EnvelopeSealed:
        return ev.EnvelopeSealed(**self._about, envelope=self.envelope())

    def queued(self) -> ev.EnvelopeQueued:
        return ev.EnvelopeQueued(**self._about, message_id="m-1")

    def received(self) -> ev.EnvelopeReceived:
        return ev.EnvelopeReceived(**self._about, message_id="m-1")

    def rejected(self) -> ev.EnvelopeRejected:
        return ev.EnvelopeRejected(**self._about, code="stale_data", message="the envelope has expired")

    def sending(self, **changes: Any) -> ev.SendIntended:
        intent = self._order()
        given: dict[str, Any] = {
            "client_order_id": self.client_order_id,
            "attempt": 1,
            "venue": intent.venue,
            "instrument": intent.instrument,
            "side": intent.side,
            "quantity": intent.quantity,
            "limit_price_usd": intent.limit_price_usd,
        }
        return ev.SendIntended(**self._about, **given | changes)

    def planned(self, **changes: Any) -> wk.ExecutionPlanned:
        given: dict[str, Any] = {
            "starts_at": self.at,
            "ends_at": self.at + timedelta(minutes=10),
            "bid_usd": Decimal(2749),
            "ask_usd": Decimal(2751),
            "quoted_at": self.at,
            "lot_size": Decimal("0.01"),
            "tick_size_usd": Decimal("0.01"),
            "min_quantity": Decimal(0),
            "min_notional_usd": Decimal(1),
        }
        return wk.ExecutionPlanned(**self._about, **given | changes)

    def finished(self, ending: Ending = Ending.WINDOW_ENDED, unfilled: str = "0") -> wk.ExecutionFinished:
        return wk.ExecutionFinished(**self._about, ending=ending, unfilled_quantity=Decimal(unfilled))

    def amended(self, quantity: str = "2", limit_price_usd: str = "2700") -> wk.OrderAmended:
        wanted = {"quantity": Decimal(quantity), "limit_price_usd": Decimal(limit_price_usd)}
        return wk.OrderAmended(**self._about, caller="operator", **wanted)

    def moved(self, step: OrderStep, *, order: str | None = None) -> ev.OrderMoved:
        return ev.OrderMoved(**self._about, client_order_id=order or self.client_order_id, step=step)

    def filled(
        self,
        quantity: Decimal | None = None,
        *,
        trade: str = "t-1",
        price_usd: Decimal | None = None,
        fee_usd: Decimal = Decimal(0),
        is_last: bool = True,
        order: str | None = None,
    ) -> ev.OrderFilled:
        intent = self._order()
        return ev.OrderFilled(
            **self._about,
            client_order_id=order or self.client_order_id,
            account=intent.account,
            venue=intent.venue,
            trade_id=f"{self.n}/{trade}",
            instrument=intent.instrument,
            side=intent.side,
            quantity=quantity or intent.quantity,
            price_usd=price_usd or intent.limit_price_usd,
            fee_usd=fee_usd,
            is_last=is_last,
        )

    def step(self, step: OrderStep, *, trade: str = "t-1") -> ev.Event:
        """Make the event that takes an order one step, whichever kind tells it."""
        match step:
            case OrderStep.SEND_INTENDED:
                return self.sending()
            case OrderStep.FILLED:
                return self.filled(trade=trade)
            case OrderStep.PARTLY_FILLED:
                return self.filled(Decimal("0.5"), trade=trade, is_last=False)
            case OrderStep.SETTLED:
                return self.settled(Decimal(0))
            case _:
                return self.moved(step)

    def settled(
        self, quantity: Decimal, *, price_usd: Decimal | None = None, order: str | None = None
    ) -> ev.OrderSettled:
        intent = self._order()
        return ev.OrderSettled(
            **self._about,
            client_order_id=order or self.client_order_id,
            account=intent.account,
            venue=intent.venue,
            instrument=intent.instrument,
            side=intent.side,
            quantity=quantity,
            price_usd=price_usd,
            evidence="the venue's statement of the day",
            motion=motion("Settle"),
            endorsements=(ENDORSEMENT,),
        )

    def until_sealed(self) -> list[ev.Event]:
        return [self.proposed(), self.judged(), self.sealed()]

    def until(self, state: OrderState) -> list[ev.Event]:
        """Make the shortest history that brings the decision's order into `state`."""
        steps = shortest_way(state)
        told = [self.step(step, trade=f"way-{number}") for number, step in enumerate(steps)]
        return [*self.until_sealed(), self.queued(), self.received(), *told]

    def _order(self) -> OrderIntent:
        if not isinstance(self.intent, OrderIntent):
            raise TypeError("only an order is sent to a venue")
        return self.intent


def shortest_way(goal: OrderState) -> list[OrderStep]:
    """Return the fewest steps from `NEW` to `goal` through the table."""
    ways: dict[OrderState, list[OrderStep]] = {OrderState.NEW: []}
    waiting = [OrderState.NEW]
    for state in waiting:
        for step, following in ORDER_LIFE[state].items():
            if following not in ways:
                ways[following] = [*ways[state], step]
                waiting.append(following)
    return ways[goal]


def funded(cash_usd: str = "100000", *, account: str = "main") -> ev.AccountFunded:
    return ev.AccountFunded(at=NOW, mode=Mode.REPLAY, account=account, cash_usd=Decimal(cash_usd))


def keyholder_changes() -> list[ev.Event]:
    """Return an event of each kind that says whose keys count; nobody's signature holds."""
    about: dict[str, Any] = {"at": NOW, "mode": Mode.REPLAY}
    alice = kh.Approver(name="alice", address=ADDRESS, valid_until=NOW + timedelta(days=30))
    key = kh.SealKey(address=ADDRESS, not_before=NOW)
    signed: tuple[Endorsement, ...] = (ENDORSEMENT,)
    return [
        kh.HomeFounded(**about, chance=HASH),
        kh.ApproversFounded(**about, approvers=(alice,)),
        kh.ApproverEnrolled(**about, approver=alice, motion=motion(kh.ENROL), endorsements=signed),
        kh.ApproverRemoved(
            **about, name="alice", address=ADDRESS, motion=motion(kh.REMOVE), endorsements=signed
        ),
        kh.SealKeyAdded(**about, key=key, motion=motion(kh.ADD_SEAL_KEY), endorsements=signed),
        kh.SealKeyRetired(**about, address=ADDRESS, not_after=NOW, by="operator"),
    ]


def one_of_each() -> list[ev.Event]:
    """Return an event of every kind there is."""
    story = Story(order_intent())
    worked = Story(order_intent(execution=TwapPlan(duration_s=600, slices=10)), n=3)
    about = {"at": NOW, "mode": Mode.REPLAY}
    return [
        funded(),
        story.proposed(),
        Story(chain_intent(), n=2).proposed(),
        story.judged(ev.Outcome.HELD),
        story.approved(),
        story.declined(),
        story.sealed(),
        story.queued(),
        story.received(),
        story.rejected(),
        ev.MessageRefused(
            **about,
            message_id="m-2",
            claimed_decision_id=None,
            body_hash=HASH,
            code="bad_signature",
            message="nobody we know sealed it",
        ),
        DeadLetterArrived(
            **about,
            message_id="m-2",
            group="main|paper|SPX",
            claimed_decision_id=None,
            body_hash=HASH,
            receive_count=5,
            code="unreadable_message",
            message="missing at content",
        ),
        DeadLetterAnswered(**about, message_id="m-2", answer=Answer.DISCARDED, by="operator", why="nobody's"),
        story.sending(),
        story.moved(OrderStep.ACKNOWLEDGED),
        story.filled(fee_usd=Decimal("1.25")),
        ev.CancelRequested(**about, decision_id=story.decision_id, caller="operator"),
        ev.TradingStateChanged(
            **about, scope="system", state=TradingState.HALTED, by="operator", why="drill"
        ),
        ev.TradingResumed(
            **about,
            scope="system",
            halts_hash=HASH,
            motion=motion("Resume"),
            endorsements=(ENDORSEMENT,),
        ),
        Story(order_intent(), n=1).settled(Decimal(0)),
        AccountMarked(
            **about,
            account="main",
            equity_usd=Decimal("100000.5"),
            marks=(Mark(instrument="SPX", price_usd=Decimal(2750), known_at=NOW, source="recorded"),),
        ),
        VenueReported(**about, venue="paper", status=TradingStatus.OPEN),
        BalancesTaken(**about, venue="kraken", balances=(Balance(asset="BTC", units=Decimal("0.5")),)),
        ReconciliationDiffered(
            **about,
            venue="kraken",
            subject=Subject.BALANCE,
            about="BTC",
            booked=Decimal("0.5"),
            found=Decimal("0.4"),
            scope="instrument:BTC-USD",
        ),
        ReconciliationAgreed(**about, venue="kraken", subject=Subject.BALANCE, about="BTC"),
        ev.RecoveryCompleted(**about, epoch=1, resolved=0, quarantined=0),
        worked.planned(),
        worked.amended(),
        worked.finished(),
        *keyholder_changes(),
    ]
