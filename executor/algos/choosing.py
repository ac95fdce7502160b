"""The next step of a plan: what holds for every algorithm, and then the algorithm's own answer. Pure.

Stage: journal → what leaves next. No clock, no state, no randomness: the same progress, market
and moment give the same answer, before a crash and after it.

# INVARIANT: one open child at a time; while the fate of one is unknown nothing is sent.
# INVARIANT: filled + open + unknown + the next child never exceed what is wanted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, assert_never

from executor.algos import iceberg, immediate, peg, pov, sliced
from executor.algos.moves import CancelChild, Done, Market, Move, Wait
from executor.algos.progress import IN_DOUBT, Child, Progress
from executor.algos.scene import PATIENCE, Scene, is_beyond, worst_price_usd
from when_to_invest.execution import (
    Ending,
    Execution,
    IcebergPlan,
    ImmediatePlan,
    PegPlan,
    PovPlan,
    ShortfallPlan,
    TwapPlan,
    VwapPlan,
)
from when_to_invest.orders import OrderState
from when_to_invest.quotes import Quote

MOST_CHILDREN: Final = 1_500
"""No plan sends more orders, whatever happens to them: 500 slices of three attempts."""
MOST_DECLINED: Final = 5
"""So many orders in a row that the venue did not take are enough."""
PAUSE: Final = timedelta(seconds=1)
"""Between two children at least."""
_NOT_TAKEN: Final = frozenset({OrderState.REJECTED, OrderState.ABSENT})


def next_child(plan: Execution, *, progress: Progress, market: Market, now: datetime) -> Move:
    """Return what to do now: send a child, cancel the open one, wait, or be done."""
    if progress.ending is not None:
        return Done(progress.ending, progress.unfilled_quantity)
    if any(child.state in IN_DOUBT for child in progress.children):
        return Wait(None, "the outcome of an order is unknown")
    child = next((child for child in progress.children if child.is_open), None)
    if child is not None:
        return _stop(plan, progress, child, now=now) or _tend(plan, progress, market, child=child, now=now)
    return _finish(progress, now=now) or _begin(plan, progress, market, now=now)


def _stop(plan: Execution, progress: Progress, child: Child, *, now: datetime) -> CancelChild | None:
    """Return why the open child may not stay, whatever its algorithm says; none when it may."""
    # An immediate order ends by itself at the venue's next price, which may come late.
    is_over = now >= progress.ends_at and not isinstance(plan, ImmediatePlan)
    why = ""
    if progress.is_cancel_requested:
        why = "somebody asked"
    elif is_over:
        why = "the window has ended"
    elif progress.left < 0:
        why = "less is wanted than is open"
    elif is_beyond(child, progress, worst_price_usd(progress, plan.collar_bps)):
        why = "its price is not allowed any more"
    return CancelChild(child.client_order_id, why) if why else None


def _finish(progress: Progress, *, now: datetime) -> Done | None:
    """Return that it is over, when nothing is open; none when something may still be sent."""
    last = progress.children[-MOST_DECLINED:]
    ending = None
    if not progress.unfilled_quantity:
        ending = Ending.FILLED
    elif progress.is_cancel_requested:
        ending = Ending.CANCELLED
    elif now >= progress.ends_at:
        ending = Ending.WINDOW_ENDED
    elif progress.left < max(progress.terms.lot_size, progress.terms.min_quantity):
        ending = Ending.UNFILLED
    elif len(last) == MOST_DECLINED and all(child.state in _NOT_TAKEN for child in last):
        ending = Ending.DECLINED
    elif len(progress.children) >= MOST_CHILDREN:
        ending = Ending.EXHAUSTED
    return Done(ending, progress.unfilled_quantity) if ending else None


def _tend(plan: Execution, progress: Progress, market: Market, *, child: Child, now: datetime) -> Move:
    """Return what the algorithm makes of its open child; only some look at the market for it."""
    match plan:
        case TwapPlan() | VwapPlan() | ShortfallPlan():
            return sliced.tend(plan, progress, child=child, now=now)
        case IcebergPlan():
            return Wait(progress.ends_at, "it rests")
        case ImmediatePlan():
            return Wait(None, "the venue ends it")
        case PovPlan():
            scene = _scene(plan, progress, market, now=now)
            return pov.tend(plan, scene, child) if isinstance(scene, Scene) else scene
        case PegPlan():
            scene = _scene(plan, progress, market, now=now)
            return peg.tend(plan, scene, child) if isinstance(scene, Scene) else scene
        case _:
            assert_never(plan)


def _begin(plan: Execution, progress: Progress, market: Market, *, now: datetime) -> Move:
    earliest = max([progress.starts_at, *(child.sent_at + PAUSE for child in progress.children[-1:])])
    if now < earliest:
        return Wait(min(earliest, progress.ends_at), "not yet")
    scene = _scene(plan, progress, market, now=now)
    return _begun(plan, scene) if isinstance(scene, Scene) else scene


def _begun(plan: Execution, scene: Scene) -> Move:
    match plan:
        case TwapPlan() | VwapPlan() | ShortfallPlan():
            return sliced.begin(plan, scene)
        case PovPlan():
            return pov.begin(plan, scene)
        case PegPlan():
            return peg.begin(plan, scene)
        case IcebergPlan():
            return iceberg.begin(plan, scene)
        case ImmediatePlan():
            return immediate.begin(scene)
        case _:
            assert_never(plan)


def _scene(plan: Execution, progress: Progress, market: Market, *, now: datetime) -> Scene | Wait:
    quote = _fresh(progress, market, now=now)
    if quote is None:
        return Wait(min(now + PATIENCE, progress.ends_at), "no fresh quote")
    return Scene(progress, quote, market.traded_quantity, plan.collar_bps, now)


def _fresh(progress: Progress, market: Market, *, now: datetime) -> Quote | None:
    """Return the quote when it is of this instrument, from before now, and not too old."""
    quote = market.quote
    if quote is None or quote.instrument != progress.instrument:
        return None
    return quote if quote.at <= now <= quote.at + market.stale_after else None
