"""Quantities counted in whole lots, and what of them may leave at once. Pure integers."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final

_WIDE: Final = Context(prec=80)
"""Wide enough for any amount counted in steps of any amount."""


def whole_steps(amount: Decimal, step: Decimal) -> int:
    """Return how many whole steps fit into `amount`, which may be negative: the floor."""
    return int(_WIDE.divide(amount, step).to_integral_value(rounding=ROUND_FLOOR, context=_WIDE))


def covering_steps(amount: Decimal, step: Decimal) -> int:
    """Return the fewest whole steps that are at least `amount`: the ceiling."""
    return int(_WIDE.divide(amount, step).to_integral_value(rounding=ROUND_CEILING, context=_WIDE))


def amount_of(steps: int, step: Decimal) -> Decimal:
    """Return `steps` times `step`, exactly."""
    return _WIDE.multiply(Decimal(steps), step)


def fitting(wanted: int, *, left: int, smallest: int, largest: int) -> int:
    """Return how many lots leave now: `wanted` or a few more or less, so that no crumb stays behind.

    A rest that the venue would not take is sent along when `largest` allows it, or enough is
    kept back to make it large enough. Zero when the venue would not take what may leave.
    """
    sent = min(wanted, left, largest)
    if 0 < left - sent < smallest:
        if left <= largest:
            sent = left
        elif left - smallest >= smallest:
            sent = left - smallest
    return sent if sent >= smallest else 0
