"""An approver's no to a held decision: who may say it, and how it is known that they did.

Stage: approvers' door. A no only tightens, so the operator's token is enough for it; a signature
proves more, and one that does not hold refuses the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from policies.requesters import OPERATOR
from tool_servers.orders.court import Court
from tool_servers.orders.holds import Hold
from when_to_invest.approvals import decline_typed_data
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import ApprovalDeclined
from when_to_invest.motions import Endorsement

_AGAIN: Final = "decline as operator, or as an approver of `when-to-invest approvals list`"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was said, by whom, and with what signature, if any."""

    approver: str
    why: str
    endorsement: Endorsement | None = None


def declined(court: Court, hold: Hold, said: Refusal) -> ApprovalDeclined:
    """Return the event that ends a held decision.

    Raises:
        Fault: `bad_approval` when nobody of that name may decline; `bad_signature` when a
            signature was given that is not theirs over this decision and reason.
    """
    _demand_somebody(court, said)
    if said.endorsement is not None:
        _demand_theirs(court, hold, said, said.endorsement)
    return ApprovalDeclined(
        at=court.clock.now(),
        mode=court.settings.mode,
        decision_id=hold.decision_id,
        approver=said.approver,
        why=said.why,
        known_by="operator_token" if said.endorsement is None else "signature",
        endorsement=said.endorsement,
    )


def _demand_somebody(court: Court, said: Refusal) -> None:
    if said.approver == OPERATOR and said.endorsement is None:
        return
    if said.approver not in court.roll.at(court.clock.now()):
        raise Fault(
            ErrorCode.BAD_APPROVAL,
            f"{said.approver} cannot decline: they have no vote in this home now",
            fix=_AGAIN,
        )


def _demand_theirs(court: Court, hold: Hold, said: Refusal, given: Endorsement) -> None:
    typed = decline_typed_data(
        decision_id=hold.decision_id, intent=hold.intent, why=said.why, domain=court.roll.domain
    )
    signer = court.signatures.recover(court.signatures.typed_digest(typed), given.signature).lower()
    own = court.roll.at(court.clock.now())[said.approver].lower()
    if given.approver != said.approver or not signer == given.address.lower() == own:
        raise Fault(
            ErrorCode.BAD_SIGNATURE,
            f"the signature of {said.approver} is not by their key over this decision and reason",
            fix="sign again with the enrolled key, or decline without a signature",
        )
