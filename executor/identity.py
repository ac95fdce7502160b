"""Client order ids: derived, so that a crash cannot forget one and a retry cannot reuse one.

They are not reversible: which decision an id belongs to, only the journal knows.
"""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Final
from uuid import UUID

from when_to_invest.canonical import digest

ID_LENGTH: Final = 32
"""Letters and digits; Binance takes 36 of them, with few other signs."""


@unique
class ClientIdShape(StrEnum):
    """How a venue wants a client order id to be written."""

    PLAIN = "plain"
    """`w` and 31 lower-case hex digits."""
    UUID = "uuid"
    """As a random UUID is written (RFC 9562, version 4): 36 characters with four hyphens."""


def client_order_id(
    decision_id: str, *, slice_index: int, attempt: int, shape: ClientIdShape = ClientIdShape.PLAIN
) -> str:
    """Return the id of H(decision, slice, attempt) in a venue's shape.

    `slice_index` counts children of one decision from 0; `attempt` counts from 1 and
    advances only when the former attempt is proven not to exist.
    """
    parts = {"decision_id": decision_id, "slice": slice_index, "attempt": attempt}
    hashed = digest(parts)
    if shape is ClientIdShape.UUID:
        return str(UUID(hex=hashed[:ID_LENGTH], version=4))
    return "w" + hashed[: ID_LENGTH - 1]


def has_shape(text: str, shape: ClientIdShape) -> bool:
    """Return whether an id is written as `client_order_id` writes it."""
    if shape is ClientIdShape.UUID:
        try:
            known = UUID(text)
        except ValueError:
            return False
        return str(known) == text
    is_short = 0 < len(text) <= ID_LENGTH
    return is_short and text.isascii() and text.isalnum()
