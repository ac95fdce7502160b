"""What the gate answers: `Approved`, `Held` or `Refused`, always with all reasons.

`Approved` is sealed: only `policies.gate` holds the token that makes one, so a function
that takes an `Approved` cannot be reached without a judgement.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from when_to_invest.intents import ChainIntent, OrderIntent
from when_to_invest.values import Hash, Instant, Value


class Reason(Value):
    """One rule's objection: machine-readable code, figures with a unit, and a way out."""

    code: str
    rule: str
    limit: str
    attempted: str
    overage: str
    unit: str
    fix: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The intent may not happen; nothing lifts it."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """The intent may happen once `approvals_needed` distinct approvers have signed it."""

    reasons: tuple[Reason, ...]
    approvals_needed: int


class _GateToken:
    """Held by `policies.gate` alone; an architecture test checks who names it."""

    __slots__ = ()


GATE_TOKEN: Final = _GateToken()


@dataclass(frozen=True, slots=True)
class Approved:
    """An intent that passed every rule on the facts whose hash it carries."""

    intent: OrderIntent | ChainIntent
    facts_hash: Hash
    limits_hash: Hash
    judged_at: Instant
    approvers: tuple[str, ...]
    token: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.token is not GATE_TOKEN:
            raise TypeError("only policies.gate makes an Approved")


Verdict = Approved | Held | Refused
