"""Turns what a wallet signed elsewhere into an approval or a ballot's signature.

The document is compared with what this home shows now, and the signature is recovered here,
so that each mistake has its own error before anything is handed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from cli.registry import Registry
    from cli.wallets import Returned
    from home.paths import Home
    from when_to_invest.approvals import Approval
    from when_to_invest.history import DecisionRecord
    from when_to_invest.keyholders import KeyholderChange


def approval_from(home: Home, record: DecisionRecord, returned: Returned, *, approver: str) -> Approval:
    """Return the approval of a held decision that a wallet signed.

    Raises:
        Fault: `bad_approval` for another document, home, chain or signer; `bad_signature`.
    """
    from cli.registry import open_registry
    from cli.wallets import check_shown, instant_of
    from when_to_invest.approvals import Approval, approval_typed_data
    from when_to_invest.domains import wallet_json

    message = returned.typed_data["message"]
    with open_registry(home, is_read_only=True) as registry:
        domain = registry.roll.domain
        expires_at = instant_of(message.get("expiresAt") if isinstance(message, dict) else None)
        typed = approval_typed_data(
            decision_id=record.decision_id, intent=record.intent, expires_at=expires_at, domain=domain
        )
        check_shown(returned, wallet_json(typed), domain)
        address = signer_of(registry, returned, approver=approver)
    return Approval(
        decision_id=record.decision_id,
        intent_hash=record.intent.digest(),
        mode=record.intent.mode,
        approver=approver,
        address=address,
        expires_at=expires_at,
        signature=returned.signature,
        domain=domain,
    )


def ballot_from(home: Home, subject: str, returned: Returned, *, approver: str) -> KeyholderChange:
    """Return a waiting change with a wallet's signature.

    Raises:
        Fault: as `approval_from` does.
    """
    from cli.ballots import endorsed, load
    from cli.registry import open_registry
    from cli.wallets import check_shown
    from when_to_invest.domains import wallet_json
    from when_to_invest.motions import motion_typed_data

    change = load(home, subject)
    with open_registry(home, is_read_only=True) as registry:
        check_shown(returned, wallet_json(motion_typed_data(change.motion)), registry.roll.domain)
        address = signer_of(registry, returned, approver=approver)
    return endorsed(change, approver=approver, address=address, signature=returned.signature)


def signer_of(registry: Registry, returned: Returned, *, approver: str) -> str:
    """Return the address that signed, which must be the approver's.

    Raises:
        Fault: `bad_approval` without a vote now; `bad_signature` for a malformed one, a high s
            or another key.
    """
    from signing.eip712 import recover_address, typed_digest

    now = registry.now()
    registry.roll.demand_vote(approver, now)
    address = recover_address(typed_digest(returned.typed_data), returned.signature)
    if address.lower() != registry.roll.at(now)[approver].lower():
        raise Fault(
            ErrorCode.BAD_SIGNATURE,
            f"the signature is not by the key of {approver}",
            fix=f"sign the exported document with the key that {approver} enrolled",
        )
    return address
