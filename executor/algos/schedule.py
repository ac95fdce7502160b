"""Schedules: how many lots are planned for each slice of a window. Pure.

Stage: from a plan's weights to whole lots. What is due by the end of each slice is rounded, not
each slice: however coarse the lots are, the plan is followed within half a lot, and the slices
add up exactly. Slices below what the venue takes are merged into later ones.

R. Almgren, N. Chriss, "Optimal execution of portfolio transactions", Journal of Risk 3 (2000):
holdings x_j = X sinh(kappa (T - t_j)) / sinh(kappa T). B. Johnson, "Algorithmic Trading & DMA"
(2010), chapter 5: schedules weighted by time and by volume.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import lru_cache
from itertools import accumulate
from typing import Final, assert_never

from when_to_invest.execution import ShortfallPlan, SlicedPlan, TwapPlan, VwapPlan

_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_UP)
_FINEST: Final = Decimal("1e18")
_ONE: Final = Decimal(1)


@lru_cache(maxsize=1_024)
def planned_lots(plan: SlicedPlan, *, lots: int, smallest: int) -> tuple[int, ...]:
    """Return how many of `lots` each slice is to trade; zero in those that were merged into others.

    `smallest`: what the venue takes at least, in lots. The slices add up to `lots`.
    """
    return tuple(_merged(_due(plan, lots), smallest=smallest))


def _due(plan: SlicedPlan, lots: int) -> list[int]:
    """Return how many lots are due by the end of each slice."""
    match plan:
        case TwapPlan():
            return _in_proportion(lots, [1] * plan.slices)
        case VwapPlan():
            return _in_proportion(lots, [int(_WIDE.multiply(w, _FINEST)) for w in plan.volume_curve])
        case ShortfallPlan() if not plan.urgency:
            return _in_proportion(lots, [1] * plan.slices)
        case ShortfallPlan():
            return [_nearest(lots, done) for done in shares_done(plan.urgency, plan.slices)]
        case _:
            assert_never(plan)


def _in_proportion(lots: int, weights: Sequence[int]) -> list[int]:
    total = sum(weights)
    return [(2 * lots * so_far + total) // (2 * total) for so_far in accumulate(weights)]


def _nearest(lots: int, share: Decimal) -> int:
    return int(_WIDE.multiply(Decimal(lots), share).to_integral_value(rounding=ROUND_HALF_UP, context=_WIDE))


def shares_done(urgency: Decimal, slices: int) -> list[Decimal]:
    """Return which share of the whole is done by the end of each slice, the last being 1.

    1 - x_j / X of Almgren and Chriss for holdings x_j after j of `slices` equal steps, with
    `urgency` = kappa T. As it goes to zero this goes to the even schedule j / slices.
    """
    with localcontext(_WIDE):
        if not urgency:
            return [Decimal(done) / slices for done in range(1, slices + 1)]
        growth = (urgency / slices).exp()
        ups = [*accumulate([growth] * slices, lambda power, factor: power * factor, initial=_ONE)]
        sinhs = [(up - _ONE / up) / 2 for up in ups]
        return [_ONE - sinhs[slices - done] / sinhs[slices] for done in range(1, slices + 1)]


def _merged(due: Sequence[int], *, smallest: int) -> Iterator[int]:
    """Yield what each slice trades when it waits until the venue would take it.

    What is left over at the end, and too little alone, is a part of the last slice that trades.
    """
    total = due[-1]
    released = 0
    for so_far in due:
        waiting = so_far - released
        is_enough = waiting >= smallest and (total - so_far >= smallest or so_far == total)
        trades = waiting if waiting > 0 and (is_enough or so_far == total) else 0
        released += trades
        yield trades
