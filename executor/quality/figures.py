"""A figure, or why there is none. What is not known is never zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that nobody can give, and why."""

    why: str


Figure = Decimal | Missing


def known(figures: Iterable[Figure]) -> list[Decimal]:
    """Return those that are known, in order."""
    return [each for each in figures if isinstance(each, Decimal)]


def seconds_between(earlier: datetime, later: datetime) -> Decimal:
    """Return seconds exactly; below zero when `later` is earlier."""
    return Decimal((later - earlier) // _MICROSECOND).scaleb(-6)
