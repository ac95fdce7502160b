"""A person's signature over one exact intent and an expiry. It lifts a hold, never a limit."""

from __future__ import annotations

from typing import Any, Final

from when_to_invest.canonical import utc_text
from when_to_invest.intents import ChainIntent, OrderIntent
from when_to_invest.money import decimal_text
from when_to_invest.values import Address, DecisionId, Hash, Instant, Mode, Name, Signature, Value

EIP712_DOMAIN: Final = {"name": "When to Invest", "version": "1"}
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


def describe_intent(intent: OrderIntent | ChainIntent) -> str:
    """Return the intent in one line a person can check on a hardware wallet."""
    if isinstance(intent, OrderIntent):
        return (
            f"{intent.side.value.upper()} {decimal_text(intent.quantity)} {intent.instrument} "
            f"at up to {decimal_text(intent.limit_price_usd)} USD on {intent.venue} ({intent.mode.value})"
        )
    token = intent.token or "native coin"
    return (
        f"TRANSFER {decimal_text(intent.amount)} of {token} to {intent.recipient} "
        f"on chain {intent.chain_id} ({intent.mode.value})"
    )


def approval_typed_data(
    *, decision_id: str, intent: OrderIntent | ChainIntent, expires_at: Instant
) -> dict[str, Any]:
    """Return the EIP-712 document an approver signs: readable text beside the exact hash."""
    names = ("decisionId", "summary", "mode", "expiresAt")
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": _STRING} for name in ("name", "version")],
            "Approval": [{"name": name, "type": _STRING} for name in names]
            + [{"name": "intentHash", "type": "bytes32"}],
        },
        "primaryType": "Approval",
        "domain": dict(EIP712_DOMAIN),
        "message": {
            "decisionId": decision_id,
            "summary": describe_intent(intent),
            "mode": intent.mode.value,
            "expiresAt": utc_text(expires_at),
            "intentHash": bytes.fromhex(intent.digest()),
        },
    }
