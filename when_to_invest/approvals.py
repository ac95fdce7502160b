"""A person's signature over one exact intent and an expiry. It lifts a hold, never a limit.

What is signed is readable: a wallet shows each fact of the order beside the hash that binds
the rest. Signatures from before homes had ids (no `domain`) can still be checked offline.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import SerializerFunctionWrapHandler, model_serializer

from when_to_invest.canonical import utc_text
from when_to_invest.domains import SigningDomain, domain_fields, domain_values
from when_to_invest.execution import describe_execution
from when_to_invest.intents import ChainIntent, OrderIntent
from when_to_invest.money import decimal_text
from when_to_invest.values import Address, DecisionId, Hash, Instant, Mode, Name, Signature, Value

_STRING: Final = "string"


class Approval(Value):
    """An approver's EIP-712 signature; void when the intent's hash differs or it expired."""

    decision_id: DecisionId
    intent_hash: Hash
    mode: Mode
    approver: Name
    address: Address
    expires_at: Instant
    signature: Signature
    domain: SigningDomain | None = None
    """The home and chain it was signed for; none before homes had ids."""

    @model_serializer(mode="wrap")
    def _without_empty_domain(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave an absent domain out: old approvals keep the bytes that were hashed and sealed."""
        written: dict[str, Any] = write(self)
        return {key: value for key, value in written.items() if key != "domain" or value is not None}


def describe_intent(intent: OrderIntent | ChainIntent) -> str:
    """Return the intent in one line a person can check on a hardware wallet."""
    if isinstance(intent, OrderIntent):
        what = (
            f"{intent.side.value.upper()} {decimal_text(intent.quantity)} {intent.instrument} "
            f"at up to {decimal_text(intent.limit_price_usd)} USD on {intent.venue} ({intent.mode.value})"
        )
        return f"{what}; {describe_execution(intent.execution)}" if intent.execution else what
    token = intent.token or "native coin"
    return (
        f"TRANSFER {decimal_text(intent.amount)} of {token} to {intent.recipient} "
        f"on chain {intent.chain_id} ({intent.mode.value})"
    )


def approval_typed_data(
    *,
    decision_id: str,
    intent: OrderIntent | ChainIntent,
    expires_at: Instant,
    domain: SigningDomain | None,
) -> dict[str, Any]:
    """Return the EIP-712 document an approver signs: readable text beside the exact hash."""
    shown = _summary(intent) if domain is None else _facts(intent)
    texts = {"decisionId": decision_id, **shown, "mode": intent.mode.value}
    texts["expiresAt"] = utc_text(expires_at) if domain is None else readable(expires_at)
    return {
        "types": {
            "EIP712Domain": domain_fields(domain),
            "Approval": [{"name": name, "type": _STRING} for name in texts]
            + [{"name": "intentHash", "type": "bytes32"}],
        },
        "primaryType": "Approval",
        "domain": domain_values(domain),
        "message": {**texts, "intentHash": bytes.fromhex(intent.digest())},
    }


def decline_typed_data(
    *, decision_id: str, intent: OrderIntent | ChainIntent, why: str, domain: SigningDomain
) -> dict[str, Any]:
    """Return the EIP-712 document with which an approver ends a held decision, for the reason shown."""
    texts = {"decisionId": decision_id, **_facts(intent), "mode": intent.mode.value, "why": why}
    return {
        "types": {
            "EIP712Domain": domain_fields(domain),
            "Decline": [{"name": name, "type": _STRING} for name in texts]
            + [{"name": "intentHash", "type": "bytes32"}],
        },
        "primaryType": "Decline",
        "domain": domain_values(domain),
        "message": {**texts, "intentHash": bytes.fromhex(intent.digest())},
    }


def readable(instant: datetime) -> str:
    """Return an instant as people read it, exact to the microsecond when it has any."""
    day, _, clock = utc_text(instant).removesuffix("Z").partition("T")
    return f"{day} {clock} UTC"


def _summary(intent: OrderIntent | ChainIntent) -> dict[str, str]:
    return {"summary": describe_intent(intent)}


def _facts(intent: OrderIntent | ChainIntent) -> dict[str, str]:
    """Return what the signer must see, one fact a line; the hash beside them binds the rest."""
    if isinstance(intent, OrderIntent):
        worst_usd = intent.quantity * intent.limit_price_usd
        bound = "at most" if intent.side.sign > 0 else "at least"
        return {
            "action": intent.side.value.upper(),
            "instrument": intent.instrument,
            "quantity": decimal_text(intent.quantity),
            "worstPrice": f"{bound} {decimal_text(intent.limit_price_usd)} USD each",
            "worstTotal": f"{bound} {decimal_text(worst_usd)} USD without fees",
            "account": intent.account,
            "venue": intent.venue,
            **({"execution": describe_execution(intent.execution)} if intent.execution else {}),
            "requester": intent.proposer,
        }
    return {
        "action": "TRANSFER",
        "asset": intent.token or "the chain's own coin",
        "amount": decimal_text(intent.amount),
        "recipient": intent.recipient,
        "account": intent.account,
        "chain": str(intent.chain_id),
        "requester": intent.proposer,
    }
