"""The limits as people and tools read them: value, unit, meaning, how each is tightened.

Stage: documentation of the gate. It reads the limits' own data and must never decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.limits import Limits, limit_text, operator_of
from policies.tightening import Tighten


@dataclass(frozen=True, slots=True)
class LimitNote:
    """One limit as people and tools read it."""

    name: str
    value: str
    unit: str
    tighten: Tighten
    meaning: str


def limit_notes(limits: Limits) -> tuple[LimitNote, ...]:
    """Return every limit with unit and meaning, in declaration order."""
    return tuple(
        LimitNote(
            name=name,
            value=limit_text(getattr(limits, name)),
            unit=_unit(name),
            tighten=operator_of(name),
            meaning=field.description or "",
        )
        for name, field in Limits.model_fields.items()
    )


def _unit(name: str) -> str:
    for suffix, unit in (("_usd", "USD"), ("_bps", "bps"), ("_s", "s"), ("_quantity", "base units")):
        if name.endswith(suffix):
            return unit
    return "names" if name.startswith(("allowed_", "denied_")) else "count"
