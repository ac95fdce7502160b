"""The only thing the queue carries: a sealed, expiring, canonical approved intent."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from when_to_invest.approvals import Approval
from when_to_invest.domains import SigningDomain, domain_fields, domain_values
from when_to_invest.intents import Intent, OrderIntent
from when_to_invest.values import Address, DecisionId, Hash, Instant, Mode, Signature
from when_to_invest.written import WrittenOnce


class EnvelopeContent(WrittenOnce):
    """What is sealed: the intent and the conditions under which it was approved.

    Version 2 names the home and chain it is for; version 1 is from before homes had ids.
    """

    CARRIES: ClassVar = "intent"

    version: int = Field(default=1, ge=1, le=2)
    decision_id: DecisionId
    mode: Mode
    intent: Intent
    intent_hash: Hash
    facts_hash: Hash
    limits_hash: Hash
    approvals: tuple[Approval, ...]
    sealed_at: Instant
    expires_at: Instant
    domain: SigningDomain | None = None

    @model_validator(mode="after")
    def _version_fits(self) -> Self:
        if (self.version == 1) is not (self.domain is None):
            raise ValueError("version 2 names its home, version 1 names none")
        return self

    @model_serializer(mode="wrap")
    def _without_empty_domain(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave an absent domain out: old envelopes keep the bytes that were sealed."""
        written: dict[str, Any] = write(self)
        return {key: value for key, value in written.items() if key != "domain" or value is not None}

    @property
    def message_group(self) -> str:
        """Return the queue's ordering group: `account|venue|instrument`."""
        if isinstance(self.intent, OrderIntent):
            return f"{self.intent.account}|{self.intent.venue}|{self.intent.instrument}"
        return f"{self.intent.account}|chain|{self.intent.chain_id}"


class Envelope(WrittenOnce):
    """Sealed content with the seal's address and signature."""

    CARRIES: ClassVar = "content"

    content: EnvelopeContent
    seal_address: Address
    seal: Signature


def envelope_typed_data(content: EnvelopeContent) -> dict[str, Any]:
    """Return the EIP-712 document that the gate's sealing key signs."""
    fields = {"decisionId": "string", "mode": "string", "contentHash": "bytes32"}
    return {
        "types": {
            "EIP712Domain": domain_fields(content.domain),
            "Envelope": [{"name": name, "type": kind} for name, kind in fields.items()],
        },
        "primaryType": "Envelope",
        "domain": domain_values(content.domain),
        "message": {
            "decisionId": content.decision_id,
            "mode": content.mode.value,
            "contentHash": bytes.fromhex(content.digest()),
        },
    }
