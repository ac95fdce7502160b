"""Sealed orders that no executor has taken up are limited in number at each venue."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "in_flight"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    waiting, most = facts.queued_at_venue + 1, limits.max_in_flight_orders
    if waiting <= most:
        return None
    return Reason(
        code="too_many_in_flight",
        rule=_ID,
        limit=str(most),
        attempted=str(waiting),
        overage=str(waiting - most),
        unit="sealed orders in the queue",
        fix=(
            f"wait until the executor has taken up {waiting - most} of the orders that wait for"
            f" {intent.venue}; see `when-to-invest ps` whether it runs"
        ),
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="a queue that grows while nobody empties it, and floods the venue afterwards",
    source="MiFID II RTS 6 art. 15; practice: back-pressure",
    codes={"too_many_in_flight": "too many sealed orders wait for the executor at this venue"},
    check=_check,
)
