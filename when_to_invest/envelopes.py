"""The only thing the queue carries: a sealed, expiring, canonical approved intent."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from when_to_invest.approvals import EIP712_DOMAIN, Approval
from when_to_invest.canonical import digest
from when_to_invest.intents import Intent, OrderIntent
from when_to_invest.values import Address, DecisionId, Hash, Instant, Mode, Signature, Value


class EnvelopeContent(Value):
    """What is sealed: the intent and the conditions under which it was approved."""

    version: int = Field(default=1, ge=1, le=1)
    decision_id: DecisionId
    mode: Mode
    intent: Intent
    intent_hash: Hash
    facts_hash: Hash
    limits_hash: Hash
    approvals: tuple[Approval, ...]
    sealed_at: Instant
    expires_at: Instant

    @property
    def message_group(self) -> str:
        """Return the queue's ordering group: `account|venue|instrument`."""
        if isinstance(self.intent, OrderIntent):
            return f"{self.intent.account}|{self.intent.venue}|{self.intent.instrument}"
        return f"{self.intent.account}|chain|{self.intent.chain_id}"


class Envelope(Value):
    """Sealed content with the seal's address and signature."""

    content: EnvelopeContent
    seal_address: Address
    seal: Signature


def envelope_typed_data(content: EnvelopeContent) -> dict[str, Any]:
    """Return the EIP-712 document that the gate's sealing key signs."""
    fields = {"decisionId": "string", "mode": "string", "contentHash": "bytes32"}
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": "string"} for name in ("name", "version")],
            "Envelope": [{"name": name, "type": kind} for name, kind in fields.items()],
        },
        "primaryType": "Envelope",
        "domain": dict(EIP712_DOMAIN),
        "message": {
            "decisionId": content.decision_id,
            "mode": content.mode.value,
            "contentHash": bytes.fromhex(digest(content.model_dump(mode="json"))),
        },
    }
