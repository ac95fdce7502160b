"""TWAP, VWAP and implementation shortfall: children by a schedule that is known from the start. Pure.

A slice that passed without a child is skipped and its quantity spread over those left, in
proportion, and never above twice the even slice or what was planned: late slices do not bunch.
What does not fit any more stays unfilled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from executor.algos.lots import fitting, whole_steps
from executor.algos.moves import CancelChild, Move, Wait
from executor.algos.progress import Child, Progress
from executor.algos.scene import Scene, smallest_lots
from executor.algos.schedule import planned_lots
from executor.algos.windows import start_of, stretch_at
from when_to_invest.execution import SlicedPlan
from when_to_invest.money import BPS_PER_UNIT
from when_to_invest.orders import OrderState

MOST_ATTEMPTS: Final = 3
"""After so many orders that never reached the venue a slice is passed over."""
CATCH_UP: Final = 2
"""How many even slices a child may be at most, unless more was planned for its slice."""
_DEEPEST_BPS: Final = Decimal(5_000)
"""How far a price may fall from arrival before a planned slice is too little for the venue."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The slice whose turn it is, and what is planned from it on; it ends when the next one comes."""

    slice_index: int
    planned: tuple[int, ...]
    begins_at: datetime
    ends_at: datetime


def slices_of(plan: SlicedPlan, progress: Progress) -> tuple[int, ...]:
    """Return the lots that the plan has for each slice of its window, by what was known at arrival."""
    lowest_usd = progress.arrival_usd * (1 - min(plan.collar_bps, _DEEPEST_BPS) / BPS_PER_UNIT)
    lots = max(whole_steps(progress.quantity, progress.terms.lot_size), 0)
    return planned_lots(plan, lots=lots, smallest=smallest_lots(progress, lowest_usd))


def begin(plan: SlicedPlan, scene: Scene) -> Move:
    """Return the child of the slice whose turn it is, unless it had one."""
    planned = slices_of(plan, scene.progress)
    place = _place(plan, scene.progress, now=scene.now)
    if _is_served(place.slice_index, scene.progress.children):
        return scene.wait("the next slice", until=place.ends_at)
    earliest = _earliest(plan, scene.progress, place)
    if scene.now < earliest:
        return scene.wait("a slice has just left, or the first has not come", until=earliest)
    price_usd = scene.crossing_usd()
    lots = fitting(
        _share(scene.lots_left, place.planned),
        left=scene.lots_left,
        smallest=scene.smallest_lots(price_usd),
        largest=largest_lots(plan, planned, own=place.planned[0]),
    )
    return scene.child(lots, price_usd=price_usd, slice_index=place.slice_index)


def tend(plan: SlicedPlan, progress: Progress, *, child: Child, now: datetime) -> CancelChild | Wait:
    """Return whether a child's time is over: when the next slice has come. Needs no quote."""
    place = _place(plan, progress, now=now)
    if place.slice_index > child.slice_index:
        return CancelChild(child.client_order_id, "the next slice has come")
    return Wait(min(place.ends_at, progress.ends_at), "its own slice")


def largest_lots(plan: SlicedPlan, planned: Sequence[int], *, own: int) -> int:
    """Return the most lots that one child may have: what was planned, or twice the even slice."""
    return max(own, CATCH_UP * sum(planned) // plan.slices)


def _place(plan: SlicedPlan, progress: Progress, *, now: datetime) -> _Place:
    """Return the last slice with a quantity that has begun, or else the first."""
    planned = slices_of(plan, progress)
    trading = [index for index, lots in enumerate(planned) if lots] or [0]
    passed = max(bisect_right(trading, stretch_at(now, progress, count=plan.slices)), 1)
    index = trading[passed - 1]
    following = trading[passed] if passed < len(trading) else plan.slices
    begins_at, ends_at = (start_of(i, progress, count=plan.slices) for i in (index, following))
    return _Place(index, planned[index:], begins_at, ends_at)


def _is_served(slice_index: int, children: Sequence[Child]) -> bool:
    own = [child for child in children if child.slice_index == slice_index]
    return len(own) >= MOST_ATTEMPTS or any(child.state is not OrderState.ABSENT for child in own)


def _earliest(plan: SlicedPlan, progress: Progress, place: _Place) -> datetime:
    """Return from when a slice's child may leave: its begin, and half a slice after the child before."""
    pause: timedelta = (progress.ends_at - progress.starts_at) / plan.slices / 2
    sent = [child.sent_at + pause for child in progress.children if child.state is not OrderState.ABSENT]
    return max([place.begins_at, *sent])


def _share(left: int, planned: Sequence[int]) -> int:
    """Return the first slice's part of what is left, in proportion to what was planned."""
    total = sum(planned)
    return (2 * left * planned[0] + total) // (2 * total) if total else 0
