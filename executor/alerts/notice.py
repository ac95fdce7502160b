"""One thing that people should know of, and the key that tells repetitions of it from news. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum, unique

from executor.redaction import redacted


@unique
class Phase(StrEnum):
    """Whether it begins or has ended."""

    RAISED = "raised"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Notice:
    """What is the matter (`kind`), with what (`scope`), and what to do; texts are redacted already."""

    kind: str
    scope: str
    summary: str
    what_to_do: str
    at: str
    phase: Phase = Phase.RAISED
    repeated: int = 0
    """How often it came again since it was last told."""

    @property
    def idempotency_key(self) -> str:
        """Return the same text for every delivery of this notice, and another for any other."""
        parts = f"{self.kind}\x1f{self.scope}\x1f{self.phase.value}\x1f{self.at}\x1f{self.summary}"
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()

    def as_json(self) -> dict[str, str | int]:
        """Return what is sent, with fixed keys."""
        return {
            "id": self.idempotency_key,
            "kind": self.kind,
            "scope": redacted(self.scope),
            "phase": self.phase.value,
            "at": self.at,
            "summary": redacted(self.summary),
            "what_to_do": self.what_to_do,
            "repeated": self.repeated,
        }
