"""Reads a message and decides whether it is the envelope that the journal says was sealed.

Stage: executor, before anything is verified or judged. A seal alone is not enough: the
journal must hold the `EnvelopeSealed` of that decision with the identical envelope, so a
stolen sealing key cannot act without leaving its trace first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from ledger.queue import ReceivedMessage
from when_to_invest.envelopes import Envelope
from when_to_invest.events import EnvelopeSealed
from when_to_invest.history import DecisionRecord

MAX_BODY_BYTES: Final = 262_144
"""The largest message SQS carries; anything longer did not come through a queue."""
_DECISION: Final = re.compile(r"(d-[0-9a-f]{24})(?:\.[0-9]{1,4})?")
"""A deduplication id: the decision's id, and a number once it was sealed anew."""


@dataclass(frozen=True, slots=True)
class Genuine:
    """The message carries exactly the envelope that the journal holds for this decision."""

    envelope: Envelope
    record: DecisionRecord


@dataclass(frozen=True, slots=True)
class Superseded:
    """The message carries an envelope that the journal holds, and a newer one of its decision."""

    record: DecisionRecord


@dataclass(frozen=True, slots=True)
class Forged:
    """The message proves nothing; `claimed` is the decision it is about, if it says so."""

    code: str
    why: str
    claimed: str | None


def inspect(
    message: ReceivedMessage, decisions: Mapping[str, DecisionRecord]
) -> Genuine | Superseded | Forged:
    """Return the genuine envelope of `message`, or why it is none. Never raises on any input."""
    named = _DECISION.fullmatch(message.deduplication_id)
    claimed = named[1] if named else None
    if len(message.body.encode(errors="replace")) > MAX_BODY_BYTES:
        return Forged("unreadable_message", f"the body is longer than {MAX_BODY_BYTES} bytes", claimed)
    record = decisions.get(claimed) if claimed else None
    if record is not None and record.envelope is not None and _is_written_as(message, record.envelope):
        return Genuine(record.envelope, record)
    try:
        envelope = Envelope.model_validate_json(message.body)
    except ValidationError as error:
        return Forged("unreadable_message", _first_problem(error), claimed)
    return _compared(envelope, decisions.get(envelope.content.decision_id))


def _is_written_as(message: ReceivedMessage, envelope: Envelope) -> bool:
    """Whether the body is the envelope's one written form, so that reading it gives the same again."""
    return message.body == envelope.canonical().decode()


def _compared(envelope: Envelope, record: DecisionRecord | None) -> Genuine | Superseded | Forged:
    decision_id = envelope.content.decision_id
    if record is None:
        return Forged("unknown_decision", "the journal knows no such decision", decision_id)
    if record.envelope is None:
        return Forged("not_in_journal", "the journal holds no sealed envelope of that decision", decision_id)
    if record.envelope.digest() == envelope.digest():
        return Genuine(envelope, record)
    if envelope.digest() in _sealed_for(record):
        return Superseded(record)
    return Forged("not_in_journal", "the envelope differs from the one in the journal", decision_id)


def _sealed_for(record: DecisionRecord) -> set[str]:
    """Return the digests of every envelope a decision ever had; a redriven one had several."""
    return {event.envelope.digest() for event in record.events if isinstance(event, EnvelopeSealed)}


def body_hash(message: ReceivedMessage) -> str:
    """Return the SHA-256 of the body as 64 hex digits."""
    return hashlib.sha256(message.body.encode(errors="replace")).hexdigest()


def _first_problem(error: ValidationError) -> str:
    """Name the first problem by place and kind, without repeating what the message says."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])[:80]
    return f"{first['type']} at {place or 'the top'}"
