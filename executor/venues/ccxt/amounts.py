"""Amounts as a venue spelled them, exact or refused: no float ever carries one.

Stage: venue → executor. ccxt hands text through where it was told to (`number = str`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from when_to_invest.errors import ErrorCode, Fault

Told = Mapping[str, Any]
"""What ccxt made of a venue's words: checked here, and carried no further."""


def contradicted(about: str, what: str) -> Fault:
    """Return the fault of something that a venue said and that cannot be true."""
    return Fault(
        ErrorCode.VENUE_CONTRADICTED,
        f"the venue contradicts itself about {about}: {what}",
        fix="reconcile with the venue; `when-to-invest settle` books what you find, then `resume`",
    )


def amount(told: Told, key: str, *, about: str) -> Decimal:
    """Return an amount of 0 or more.

    Raises:
        Fault: `venue_contradicted` when it is missing, negative, not finite or no number.
    """
    value = exact(told.get(key))
    if value is None or not value.is_finite() or value < 0:
        raise contradicted(about, f"{key} is {told.get(key)!r}"[:120])
    return value


def positive(told: Told, key: str, *, about: str) -> Decimal:
    """Return an amount above 0.

    Raises:
        Fault: `venue_contradicted` for anything else.
    """
    value = amount(told, key, about=about)
    if value == 0:
        raise contradicted(about, f"{key} is zero")
    return value


def exact(value: object) -> Decimal | None:
    """Return the number that a text or integer spells; none for a float, which has lost it already."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def text(told: Told, key: str) -> str:
    """Return a word, or an empty one where there is none."""
    value = told.get(key)
    return value if isinstance(value, str) else "" if value is None else str(value)
