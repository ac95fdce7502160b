"""What happened, in the past tense: when on the shared clock, and how real. State is a fold over it."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, TypeAdapter, model_serializer

from when_to_invest.approvals import Approval
from when_to_invest.breakers import SCOPE_PATTERN, TradingState
from when_to_invest.callers import Identity
from when_to_invest.envelopes import Envelope
from when_to_invest.instruments import InstrumentId
from when_to_invest.intents import Intent, Side
from when_to_invest.keyholders import KeyholderFact
from when_to_invest.letters import LetterFact
from when_to_invest.marks import Sighting
from when_to_invest.money import NonNegativeDecimal, PositiveDecimal
from when_to_invest.motions import Endorsement, Motion
from when_to_invest.orders import OrderStep, told_by_moving
from when_to_invest.reconciliation import Charge, ReconciliationFact
from when_to_invest.values import DecisionId, Hash, Instant, Mode, Name, Value
from when_to_invest.verdicts import Reason
from when_to_invest.workings import WorkingFact


@unique
class Outcome(StrEnum):
    """What a judgement said."""

    APPROVED = "approved"
    HELD = "held"
    REFUSED = "refused"


@unique
class Judge(StrEnum):
    """Who judged: the gate before sealing, or the executor before sending."""

    GATE = "gate"
    EXECUTOR = "executor"


class _Happened(Value):
    at: Instant
    mode: Mode


class AccountFunded(_Happened):
    """Cash was put at the system's disposal in a paper account."""

    kind: Literal["account_funded"] = "account_funded"
    account: Name
    cash_usd: PositiveDecimal


class IntentProposed(_Happened):
    """A caller asked for something; nothing is decided yet."""

    CARRIES: ClassVar = "intent"
    kind: Literal["intent_proposed"] = "intent_proposed"
    decision_id: DecisionId
    caller: Name
    intent: Intent
    identity: Identity | None = None  # who was authenticated; none in journals from before it was kept


class IntentJudged(_Happened):
    """A verdict with everything it was based on, so that it can be judged again."""

    kind: Literal["intent_judged"] = "intent_judged"
    decision_id: DecisionId
    judge: Judge
    outcome: Outcome
    reasons: tuple[Reason, ...]
    approvals_needed: int = Field(ge=0)
    hold_expires_at: Instant | None = None
    facts_hash: Hash
    facts_json: str
    limits_hash: Hash


class ApprovalGiven(_Happened):
    """An approver's verified signature arrived."""

    kind: Literal["approval_given"] = "approval_given"
    decision_id: DecisionId
    approval: Approval


class ApprovalDeclined(_Happened):
    """An approver or the operator said no: a held intent is over. Old journals do not say how known."""

    kind: Literal["approval_declined"] = "approval_declined"
    decision_id: DecisionId
    approver: Name
    why: str = Field(max_length=200)
    known_by: Literal["signature", "operator_token"] | None = None
    endorsement: Endorsement | None = None  # over `approvals.decline_typed_data`


class EnvelopeSealed(_Happened):
    """The gate's key sealed an approved intent. Its exposure is reserved from here on."""

    CARRIES: ClassVar = "envelope"
    kind: Literal["envelope_sealed"] = "envelope_sealed"
    decision_id: DecisionId
    envelope: Envelope


class EnvelopeQueued(_Happened):
    """The queue took the envelope."""

    kind: Literal["envelope_queued"] = "envelope_queued"
    decision_id: DecisionId
    message_id: str


class EnvelopeReceived(_Happened):
    """The executor verified seal, expiry and approvals. The inbox row of a decision."""

    kind: Literal["envelope_received"] = "envelope_received"
    decision_id: DecisionId
    message_id: str


class EnvelopeRejected(_Happened):
    """The executor would not act on an envelope; its reservation is released."""

    kind: Literal["envelope_rejected"] = "envelope_rejected"
    decision_id: DecisionId
    code: str
    message: str


class MessageRefused(_Happened):
    """The executor met a message that proves nothing: unreadable, forged, or of no known decision.

    It moves no decision and no reservation. The queue keeps the message, as a dead letter.
    """

    kind: Literal["message_refused"] = "message_refused"
    message_id: str = Field(max_length=200)
    claimed_decision_id: DecisionId | None
    body_hash: Hash
    code: str
    message: str = Field(max_length=500)


class SendIntended(_Happened):
    """Written and synced before the venue hears of the order."""

    kind: Literal["send_intended"] = "send_intended"
    decision_id: DecisionId
    client_order_id: str
    attempt: int = Field(ge=1)
    venue: Name
    instrument: InstrumentId
    side: Side
    quantity: PositiveDecimal
    limit_price_usd: PositiveDecimal
    slice_index: int = Field(default=0, ge=0)  # which child of a plan, from 0; old journals say none

    @model_serializer(mode="wrap")
    def _without_first_slice(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in write(self).items() if key != "slice_index" or value}


class OrderMoved(_Happened):
    """The order took a step of its life (`orders.ORDER_LIFE`) other than a sending or a fill."""

    kind: Literal["order_moved"] = "order_moved"
    decision_id: DecisionId
    client_order_id: str
    step: Annotated[OrderStep, AfterValidator(told_by_moving)]
    venue_order_id: str = ""
    why: str = Field(default="", max_length=500)


class OrderFilled(_Happened):
    """The venue executed a part; (venue, instrument, trade_id) is unique for ever."""

    kind: Literal["order_filled"] = "order_filled"
    decision_id: DecisionId
    client_order_id: str
    account: Name
    venue: Name
    trade_id: str
    instrument: InstrumentId
    side: Side
    quantity: PositiveDecimal
    price_usd: PositiveDecimal
    fee_usd: NonNegativeDecimal
    is_last: bool  # whether the order is complete with this fill
    charge: Charge | None = None  # the fee as it was taken; none where that was the quote asset

    @model_serializer(mode="wrap")
    def _without_empty_charge(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in write(self).items() if key != "charge" or value is not None}

    @property
    def trade(self) -> tuple[str, str, str]:
        """Return what the trade is known by: some venues number each instrument's from 1."""
        return (self.venue, self.instrument, self.trade_id)


class CancelRequested(_Happened):
    """Somebody wants the rest of a decision's orders cancelled. Always allowed."""

    kind: Literal["cancel_requested"] = "cancel_requested"
    decision_id: DecisionId
    caller: Name
    identity: Identity | None = None  # as in `IntentProposed`


class TradingStateChanged(_Happened):
    """A scope was tightened, `system` being everything; `latch_id` names the local latch, if any."""

    kind: Literal["trading_state_changed"] = "trading_state_changed"
    scope: str = Field(pattern=SCOPE_PATTERN)
    state: TradingState
    by: Name
    why: str = Field(max_length=200)
    latch_id: str = Field(default="", pattern=r"^(h-[0-9a-f]{16})?$")


class TradingResumed(_Happened):
    """A quorum lifted the halts of one scope; with its signatures, so that anybody can check."""

    kind: Literal["trading_resumed"] = "trading_resumed"
    scope: str = Field(pattern=SCOPE_PATTERN)
    halts_hash: Hash  # of the halts it lifts (`standing.Standing.hash_of`): exactly these or nothing
    motion: Motion
    endorsements: tuple[Endorsement, ...]


class OrderSettled(_Happened):
    """A quorum stated what became of an order; with its evidence and signatures. The order ended."""

    kind: Literal["order_settled"] = "order_settled"
    decision_id: DecisionId
    client_order_id: str
    account: Name
    venue: Name
    instrument: InstrumentId
    side: Side
    quantity: NonNegativeDecimal  # executed, and not in the journal as fills yet; base units
    price_usd: PositiveDecimal | None  # average price of `quantity`; none when nothing more was executed
    evidence: str = Field(min_length=10, max_length=200)
    motion: Motion
    endorsements: tuple[Endorsement, ...]


class RecoveryCompleted(_Happened):
    """The executor resolved what a former run left open, and may receive."""

    kind: Literal["recovery_completed"] = "recovery_completed"
    epoch: int = Field(ge=1)
    resolved: int = Field(ge=0)
    quarantined: int = Field(ge=0)


Event = Annotated[
    AccountFunded
    | IntentProposed
    | IntentJudged
    | ApprovalGiven
    | ApprovalDeclined
    | EnvelopeSealed
    | EnvelopeQueued
    | EnvelopeReceived
    | EnvelopeRejected
    | MessageRefused
    | LetterFact
    | SendIntended
    | OrderMoved
    | OrderFilled
    | CancelRequested
    | TradingStateChanged
    | TradingResumed
    | OrderSettled
    | Sighting
    | RecoveryCompleted
    | WorkingFact
    | ReconciliationFact
    | KeyholderFact,
    Field(discriminator="kind"),
]
EVENT: Final[TypeAdapter[Event]] = TypeAdapter(Event)
EVENT_KINDS: Final[tuple[type[Value], ...]] = get_args(get_args(Event)[0])  # every kind's class


def event_from_json(text: str | bytes) -> Event:
    """Parse a journalled event.

    Raises:
        pydantic.ValidationError: the text is no event of a known kind.
    """
    return EVENT.validate_json(text)
