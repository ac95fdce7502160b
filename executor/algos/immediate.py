"""Immediate with a collar: one order at the worst price allowed, the rest of it cancelled. Pure."""

from __future__ import annotations

from executor.algos.lots import fitting
from executor.algos.moves import Done, Move
from executor.algos.scene import Scene
from when_to_invest.execution import Ending
from when_to_invest.intents import TimeInForce
from when_to_invest.orders import OrderState


def begin(scene: Scene) -> Move:
    """Return the one child, or that it is over when it had one."""
    progress, price_usd = scene.progress, scene.worst_usd
    if any(child.state is not OrderState.ABSENT for child in progress.children):
        return Done(Ending.UNFILLED, progress.unfilled_quantity)
    left = scene.lots_left
    smallest = scene.smallest_lots(price_usd)
    lots = fitting(left, left=left, smallest=smallest, largest=left)
    return scene.child(lots, price_usd=price_usd, slice_index=0, time_in_force=TimeInForce.IOC)
