"""The shape of every value that crosses a process: frozen, strict, nothing extra."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import StrEnum, unique
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, StringConstraints

from when_to_invest.canonical import plain_canonical_bytes, utc_text


class Value(BaseModel):
    """Base of values that travel: equal when their content is equal, hashable by content."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def canonical(self) -> bytes:
        """Return the one byte form that is journalled, queued and signed."""
        return plain_canonical_bytes(self.model_dump(mode="json"))

    def digest(self) -> str:
        """Return the SHA-256 of the canonical form, 64 hex digits."""
        return hashlib.sha256(self.canonical()).hexdigest()


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("a datetime without a time zone names no instant")
    return instant.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(_in_utc), PlainSerializer(utc_text, return_type=str)]
"""An aware datetime, held and written in UTC."""
DecisionId = Annotated[str, StringConstraints(pattern=r"^d-[0-9a-f]{24}$")]
"""One proposal's identity from the gate to the last fill."""
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Address = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$")]
Signature = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-f]{130}$")]
"""65 bytes r ‖ s ‖ v of a secp256k1 signature."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
"""Lower-case identifier of a venue, account, caller or approver."""


@unique
class Mode(StrEnum):
    """How real it is. Part of every intent, envelope and event; never mixed.

    `REPLAY`: recorded data on a replay clock, paper venue. `PAPER`: the wall clock, paper
    venue. `LIVE`: the wall clock and real money.
    """

    REPLAY = "replay"
    PAPER = "paper"
    LIVE = "live"
