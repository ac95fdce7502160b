"""A held decision: what approvers may sign, until when, and who may not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policies.signers import is_one_of
from when_to_invest.approvals import Approval, approval_typed_data
from when_to_invest.canonical import utc_text
from when_to_invest.domains import SigningDomain, wallet_json
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord, DecisionState
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason


@dataclass(frozen=True, slots=True)
class Hold:
    """One decision that waits for signatures."""

    decision_id: str
    intent: OrderIntent
    caller: str
    reasons: tuple[Reason, ...]
    approvals_needed: int
    approvals: tuple[Approval, ...]
    expires_at: datetime

    def as_json(self, domain: SigningDomain) -> dict[str, Any]:
        """Return it for approvers, with the exact document to sign."""
        typed = approval_typed_data(
            decision_id=self.decision_id, intent=self.intent, expires_at=self.expires_at, domain=domain
        )
        return {
            "decision_id": self.decision_id,
            "intent": self.intent.model_dump(mode="json"),
            "reasons": [reason.model_dump(mode="json") for reason in self.reasons],
            "approvals_needed": self.approvals_needed,
            "approvals_given": sorted(approval.approver for approval in self.approvals),
            "hold_expires_at": utc_text(self.expires_at),
            "typed_data": wallet_json(typed),
        }


def held(record: DecisionRecord, *, now: datetime | None) -> Hold:
    """Return a decision that may be approved at `now` (at any time when none).

    Raises:
        Fault: `bad_approval` when it is not held, was cancelled, or its hold ran out.
    """
    verdict, intent = record.verdict, record.intent
    expires_at = None if verdict is None else verdict.hold_expires_at
    if (
        record.state is not DecisionState.HELD
        or verdict is None
        or expires_at is None
        or not isinstance(intent, OrderIntent)
    ):
        raise _closed(record, f"it is {record.state.value}")
    if record.is_cancel_requested:
        raise _closed(record, "its cancellation was requested")
    if now is not None and now >= expires_at:
        raise _closed(record, f"its hold ended at {utc_text(expires_at)}")
    return Hold(
        decision_id=record.decision_id,
        intent=intent,
        caller=record.caller,
        reasons=record.reasons,
        approvals_needed=verdict.approvals_needed,
        approvals=tuple(record.approvals),
        expires_at=expires_at,
    )


def ensure_new_signature(hold: Hold, approval: Approval) -> None:
    """Check that somebody else than the proposer signs, and not a second time.

    Raises:
        Fault: `bad_approval`.
    """
    if is_one_of(approval.approver, (hold.caller, hold.intent.proposer)):
        raise Fault(
            ErrorCode.BAD_APPROVAL,
            f"{approval.approver} proposed this order and cannot approve it",
            fix="ask another approver to sign",
        )
    if approval.approver in {given.approver for given in hold.approvals}:
        raise Fault(
            ErrorCode.BAD_APPROVAL,
            f"{approval.approver} has already signed this order",
            fix="ask another approver to sign",
        )


def _closed(record: DecisionRecord, why: str) -> Fault:
    return Fault(
        ErrorCode.BAD_APPROVAL,
        f"{record.decision_id} no longer waits for approval: {why}",
        fix="propose the order again if it is still wanted",
    )
