"""Limit chase: rests behind the best price of its own side and follows it, so many times. Pure."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from executor.algos.lots import amount_of, covering_steps, fitting, whole_steps
from executor.algos.moves import CancelChild, Done, Move, Wait
from executor.algos.progress import Child
from executor.algos.scene import Scene
from when_to_invest.execution import Ending, PegPlan
from when_to_invest.money import BPS_PER_UNIT
from when_to_invest.orders import OrderState


def begin(plan: PegPlan, scene: Scene) -> Move:
    """Return a child for all that is left, at the pegged price."""
    if reprices(scene) > plan.most_reprices:
        return Done(Ending.EXHAUSTED, scene.progress.unfilled_quantity)
    price_usd = pegged_usd(plan, scene)
    left = scene.lots_left
    smallest = scene.smallest_lots(price_usd)
    lots = fitting(left, left=left, smallest=smallest, largest=left)
    return scene.child(lots, price_usd=price_usd, slice_index=scene.following_index())


def tend(plan: PegPlan, scene: Scene, child: Child) -> CancelChild | Wait:
    """Return whether a child should be moved: the market has, and it rested long enough."""
    if reprices(scene) > plan.most_reprices:
        return scene.wait("it was moved as often as planned", until=scene.progress.ends_at)
    wanted_usd = pegged_usd(plan, scene, own=child)
    if wanted_usd == child.limit_price_usd or wanted_usd <= 0:
        return scene.wait("it rests where it should")
    rested_at = child.sent_at + timedelta(seconds=plan.reprice_after_s)
    if scene.now < rested_at:
        return scene.wait("it has not rested long enough", until=rested_at)
    return CancelChild(child.client_order_id, "the market has left its price")


def reprices(scene: Scene) -> int:
    """Return how many children reached the venue: the last may be moved while it is below the most."""
    return sum(child.state is not OrderState.ABSENT for child in scene.progress.children)


def pegged_usd(plan: PegPlan, scene: Scene, *, own: Child | None = None) -> Decimal:
    """Return where a child should rest: behind the others' best price, never across, in whole ticks.

    Where nobody but our own order is seen, that is where it rests already.
    """
    best_usd = _others_best_usd(scene, own)
    if best_usd is None:
        return own.limit_price_usd if own is not None else Decimal(0)
    tick_usd = scene.progress.terms.tick_size_usd
    aimed_usd = best_usd * (1 - scene.progress.side.sign * plan.offset_bps / BPS_PER_UNIT)
    # A price behind the best of its own side, rounded away from the other, cannot cross.
    if scene.is_buy:
        return amount_of(whole_steps(min(aimed_usd, scene.worst_usd), tick_usd), tick_usd)
    return amount_of(covering_steps(max(aimed_usd, scene.worst_usd), tick_usd), tick_usd)


def _others_best_usd(scene: Scene, own: Child | None) -> Decimal | None:
    """Return the best price of our side that is not our own order alone, or we would chase ourselves."""
    quote = scene.quote
    levels = quote.bids if scene.is_buy else quote.asks
    best = (quote.bid_usd, quote.bid_quantity) if scene.is_buy else (quote.ask_usd, quote.ask_quantity)
    for price_usd, quantity in levels or (best,):
        if own is None or price_usd != own.limit_price_usd or quantity > own.quantity - own.filled_quantity:
            return price_usd
    return None
