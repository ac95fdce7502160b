"""Iceberg: rests at the worst price allowed and shows a part; a new one follows when that is gone. Pure."""

from __future__ import annotations

from typing import Final

from executor.algos.lots import fitting
from executor.algos.moves import Done, Move
from executor.algos.scene import Scene
from when_to_invest.execution import Ending, IcebergPlan

MOST_FRUITLESS: Final = 5
"""So many parts in a row that ended without a trade are enough."""


def begin(plan: IcebergPlan, scene: Scene) -> Move:
    """Return the next part that is shown."""
    last = scene.progress.children[-MOST_FRUITLESS:]
    if len(last) == MOST_FRUITLESS and not any(child.filled_quantity for child in last):
        return Done(Ending.DECLINED, scene.progress.unfilled_quantity)
    price_usd, shown = scene.worst_usd, scene.lots_of(plan.display_quantity)
    smallest = scene.smallest_lots(price_usd)
    lots = fitting(shown, left=scene.lots_left, smallest=smallest, largest=shown)
    return scene.child(lots, price_usd=price_usd, slice_index=scene.following_index())
