"""The limits as a caller may read them: what the gate enforces and nobody can loosen."""

from __future__ import annotations

from policies.limit_notes import limit_notes
from policies.limits import Limits
from when_to_invest.values import Value


class LimitRow(Value):
    """One limit; `unit` is USD, bps, s, count, base units or names."""

    name: str
    value: str
    unit: str
    meaning: str


class LimitsAnswer(Value):
    """All limits in force, after the configuration tightened them."""

    limits_hash: str
    are_writes_enabled: bool
    note: str
    limits: tuple[LimitRow, ...]


def limits_answer(limits: Limits, *, are_writes_enabled: bool, note: str) -> LimitsAnswer:
    """Return every limit with its meaning."""
    return LimitsAnswer(
        limits_hash=limits.digest(),
        are_writes_enabled=are_writes_enabled,
        note=note,
        limits=tuple(
            LimitRow(name=item.name, value=item.value, unit=item.unit, meaning=item.meaning)
            for item in limit_notes(limits)
        ),
    )
