"""Trading state of a scope as a table: automation only tightens, people loosen by quorum."""

from __future__ import annotations

from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class TradingState(StrEnum):
    """What a scope (system, account, venue, instrument) may do.

    `ACTIVE`: everything the limits allow. `REDUCING`: only orders that shrink a position.
    `HALTED`: nothing but cancels.
    """

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


STRICTNESS: Final = MappingProxyType(
    {TradingState.ACTIVE: 0, TradingState.REDUCING: 1, TradingState.HALTED: 2}
)
AUTOMATIC_MOVES: Final = MappingProxyType(
    {
        state: frozenset(other for other in TradingState if STRICTNESS[other] > STRICTNESS[state])
        for state in TradingState
    }
)
"""Where automation may move a scope from each state: never to a looser one."""


def strictest(*states: TradingState) -> TradingState:
    """Return the strictest of several states; `ACTIVE` when there is none."""
    return max(states, key=STRICTNESS.__getitem__, default=TradingState.ACTIVE)
