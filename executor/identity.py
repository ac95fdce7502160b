"""Client order ids: derived, so that a crash cannot forget one and a retry cannot reuse one."""

from __future__ import annotations

from typing import Final

from when_to_invest.canonical import digest

ID_LENGTH: Final = 32
"""Letters and digits that every venue we know accepts as a client order id."""


def client_order_id(decision_id: str, *, slice_index: int, attempt: int) -> str:
    """Return `w` and 31 hex digits of H(decision, slice, attempt).

    `slice_index` counts children of one decision from 0; `attempt` counts from 1 and
    advances only when the former attempt is proven not to exist.
    """
    parts = {"decision_id": decision_id, "slice": slice_index, "attempt": attempt}
    return "w" + digest(parts)[: ID_LENGTH - 1]
