"""One moment of a plan: where it stands, what the market shows, and what may be sent then. Pure.

# INVARIANT: no price is beyond the order's limit, nor farther from the price at arrival than the
# collar; no quantity is above what is left. Rounding to ticks and lots only ever shrinks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from executor.algos.lots import amount_of, covering_steps, whole_steps
from executor.algos.moves import NextChild, Wait
from executor.algos.progress import Child, Progress
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.money import BPS_PER_UNIT
from when_to_invest.orders import OrderState
from when_to_invest.quotes import Quote

PATIENCE: Final = timedelta(seconds=1)
"""When to look again at a market that does not allow a child yet."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A plan's progress beside a fresh quote."""

    progress: Progress
    quote: Quote
    traded_quantity: Decimal | None
    collar_bps: Decimal
    now: datetime

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.progress.side is Side.BUY

    @property
    def opposite_usd(self) -> Decimal:
        """Return the best price that a child could trade at now."""
        return self.quote.ask_usd if self.is_buy else self.quote.bid_usd

    @property
    def worst_usd(self) -> Decimal:
        """Return the worst price that any child may have now, in whole ticks."""
        return worst_price_usd(self.progress, self.collar_bps)

    @property
    def lots_left(self) -> int:
        """Return what may still be sent, in whole lots."""
        return max(whole_steps(self.progress.left, self.progress.terms.lot_size), 0)

    @property
    def lots_out(self) -> int:
        """Return what traded, and may still trade, in lots; a part of one counts as one."""
        return covering_steps(self.progress.quantity - self.progress.left, self.progress.terms.lot_size)

    def lots_of(self, quantity: Decimal) -> int:
        """Return how many whole lots fit into a quantity."""
        return whole_steps(quantity, self.progress.terms.lot_size)

    def smallest_lots(self, price_usd: Decimal) -> int:
        """Return the fewest lots that the venue takes at a price."""
        return smallest_lots(self.progress, price_usd)

    def crossing_usd(self) -> Decimal:
        """Return the limit that trades at the best price of the other side, or the worst allowed."""
        tick_usd = self.progress.terms.tick_size_usd
        if self.is_buy:
            return min(amount_of(covering_steps(self.opposite_usd, tick_usd), tick_usd), self.worst_usd)
        return max(amount_of(whole_steps(self.opposite_usd, tick_usd), tick_usd), self.worst_usd)

    def child(
        self,
        lots: int,
        *,
        price_usd: Decimal,
        slice_index: int,
        time_in_force: TimeInForce = TimeInForce.DAY,
    ) -> NextChild | Wait:
        """Return the child of so many lots, or a wait when there is nothing that a venue would take."""
        if lots <= 0 or price_usd <= 0:
            return self.wait("less is left than the venue takes")
        attempts = sum(child.slice_index == slice_index for child in self.progress.children)
        return NextChild(
            slice_index=slice_index,
            attempt=attempts + 1,
            quantity=amount_of(lots, self.progress.terms.lot_size),
            limit_price_usd=price_usd,
            time_in_force=time_in_force,
        )

    def wait(self, why: str, *, until: datetime | None = None) -> Wait:
        """Return a wait that ends with the window at the latest."""
        return Wait(min(until or self.now + PATIENCE, self.progress.ends_at), why)

    def following_index(self) -> int:
        """Return the number of the next child where children are not tied to slices of time."""
        if not self.progress.children:
            return 0
        last = self.progress.children[-1]
        return last.slice_index + (last.state is not OrderState.ABSENT)


def worst_price_usd(progress: Progress, collar_bps: Decimal) -> Decimal:
    """Return the order's limit or the collar around the arrival price, whichever is stricter."""
    tick_usd = progress.terms.tick_size_usd
    collar_usd = progress.arrival_usd * (1 + progress.side.sign * collar_bps / BPS_PER_UNIT)
    if progress.side is Side.BUY:
        return amount_of(whole_steps(min(progress.limit_price_usd, collar_usd), tick_usd), tick_usd)
    return amount_of(covering_steps(max(progress.limit_price_usd, collar_usd), tick_usd), tick_usd)


def smallest_lots(progress: Progress, price_usd: Decimal) -> int:
    """Return the fewest lots, at least one, that the venue takes at a price; one at a price of nothing."""
    terms = progress.terms
    needed = max(terms.min_quantity, terms.min_notional_usd / price_usd if price_usd > 0 else Decimal(0))
    return max(covering_steps(needed, terms.lot_size), 1)


def is_beyond(child: Child, progress: Progress, worst_usd: Decimal) -> bool:
    """Whether an open child's price is worse than any may be now."""
    return progress.side.sign * (child.limit_price_usd - worst_usd) > 0
