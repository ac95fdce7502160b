"""How much of each limit the newest order used, as the gate counts: which one will stop us next. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from policies.facts import Facts
from policies.limits import Limits

NEAR: Final = Decimal("0.8")
"""From this share on a limit is near."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One limit: what is used of what is allowed."""

    limit: str
    used: Decimal
    allowed: Decimal

    @property
    def ratio(self) -> Decimal:
        """Return the share that is used, 1 when nothing at all is allowed."""
        return self.used / self.allowed if self.allowed else Decimal(1)

    @property
    def is_near(self) -> bool:
        """Whether little is left."""
        return self.ratio >= NEAR


def usages(facts: Facts, limits: Limits) -> tuple[Usage, ...]:
    """Return how much of each limit is used with the judged order, the nearest first.

    A limit whose figure was not known is left out: the gate refuses there.
    """
    found = [
        Usage(name, used, Decimal(getattr(limits, name)))
        for name, read in _USED
        if (used := read(facts)) is not None and getattr(limits, name)
    ]
    return tuple(sorted(found, key=lambda usage: (-usage.ratio, usage.limit)))


def _with_own(figure: Callable[[Facts], Decimal | None]) -> Callable[[Facts], Decimal | None]:
    """Return what others use and the judged order itself."""

    def read(facts: Facts) -> Decimal | None:
        others_usd, own_usd = figure(facts), facts.notional_usd
        return None if others_usd is None or own_usd is None else others_usd + own_usd

    return read


_USED: Final[tuple[tuple[str, Callable[[Facts], Decimal | None]], ...]] = (
    ("max_order_notional_usd", lambda facts: facts.notional_usd),
    ("max_open_orders_usd", _with_own(lambda facts: facts.open_orders_usd)),
    ("max_turnover_24h_usd", _with_own(lambda facts: facts.turnover_24h_usd)),
    ("max_gross_exposure_usd", lambda facts: facts.gross_exposure_usd),
    ("max_messages_per_minute", lambda facts: Decimal(facts.messages_last_minute)),
    ("max_messages_per_hour", lambda facts: Decimal(facts.messages_last_hour)),
    ("max_proposer_messages_per_minute", lambda facts: Decimal(facts.proposer_messages_last_minute)),
    ("max_proposer_messages_per_hour", lambda facts: Decimal(facts.proposer_messages_last_hour)),
    ("max_repeated_executions", lambda facts: Decimal(facts.repeated_last_hour)),
    ("max_in_flight_orders", lambda facts: Decimal(facts.queued_at_venue)),
)
