"""POV: no more than a share of what the market trades while the plan runs. Pure.

# INVARIANT: filled, open, unknown and the next child together are at most the plan's share of
# the volume since it began.

The window is divided into equal stretches, one child in each at most; a child is at most twice
what an average stretch allowed so far, so that a late look at a large volume does not bunch.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from executor.algos.lots import fitting
from executor.algos.moves import CancelChild, Move, Wait
from executor.algos.progress import Child
from executor.algos.scene import Scene
from executor.algos.windows import start_of, stretch_at
from when_to_invest.execution import MOST_SLICES, PovPlan
from when_to_invest.orders import OrderState

STRETCH_S: Final = 5
"""The shortest stretch; a long window has longer ones, of which there are at most 500."""
CATCH_UP: Final = 2


def stretches(plan: PovPlan) -> int:
    """Return into how many equal stretches the window is divided."""
    return min(max(plan.duration_s // STRETCH_S, 1), MOST_SLICES)


def begin(plan: PovPlan, scene: Scene) -> Move:
    """Return a child of what the market's volume allows by now."""
    index, following = _stretch(plan, scene)
    if any(c.slice_index == index and c.state is not OrderState.ABSENT for c in scene.progress.children):
        return scene.wait("the next stretch", until=following)
    if scene.traded_quantity is None:
        return scene.wait("the market's volume is not known")
    price_usd = scene.crossing_usd()
    smallest = scene.smallest_lots(price_usd)
    allowed = scene.lots_of(scene.traded_quantity * plan.participation_ratio)
    due = allowed - scene.lots_out
    largest = min(due, max(CATCH_UP * allowed // (index + 1), smallest))
    lots = fitting(due, left=scene.lots_left, smallest=smallest, largest=largest)
    return scene.child(lots, price_usd=price_usd, slice_index=index)


def tend(plan: PovPlan, scene: Scene, child: Child) -> CancelChild | Wait:
    """Return whether a child should be taken back: the market has left its price."""
    index, following = _stretch(plan, scene)
    if index > child.slice_index and child.limit_price_usd != scene.crossing_usd():
        return CancelChild(child.client_order_id, "the market has left its price")
    return scene.wait("the next stretch", until=following)


def _stretch(plan: PovPlan, scene: Scene) -> tuple[int, datetime]:
    count = stretches(plan)
    index = stretch_at(scene.now, scene.progress, count=count)
    return index, start_of(index + 1, scene.progress, count=count)
