"""Trading state of a scope as a table: automation only tightens, people loosen by quorum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from when_to_invest.canonical import utc_text

SYSTEM: Final = "system"
SCOPE_PATTERN: Final = r"^(system|(account|venue|instrument):[A-Za-z0-9._/-]+)$"


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


@dataclass(frozen=True, slots=True)
class Halt:
    """One tightening of one scope: how far, since when, by whom and why.

    `latch_id` names the local latch that it came from; empty when it was journalled directly.
    """

    scope: str
    state: TradingState
    at: datetime
    by: str
    why: str
    latch_id: str = ""


def strictest(*states: TradingState) -> TradingState:
    """Return the strictest of several states; `ACTIVE` when there is none."""
    return max(states, key=STRICTNESS.__getitem__, default=TradingState.ACTIVE)


def is_looser(state: TradingState, *, than: TradingState) -> bool:
    """Return whether `state` allows more than another one."""
    return STRICTNESS[state] < STRICTNESS[than]


def scopes_of(*, account: str, venue: str, instrument: str) -> tuple[str, ...]:
    """Return every scope that an order stands in, the system first."""
    return (SYSTEM, f"account:{account}", f"venue:{venue}", f"instrument:{instrument}")


def state_under(halts: Iterable[Halt], *, scopes: Iterable[str]) -> TradingState:
    """Return the strictest state that `halts` put any of `scopes` in."""
    named = frozenset(scopes)
    return strictest(*(halt.state for halt in halts if halt.scope in named))


def halt_line(halt: Halt) -> str:
    """Return what is halted, since when, by whom and why, in one line."""
    return f"{halt.scope} {halt.state.value} since {utc_text(halt.at)} by {halt.by}: {halt.why}"


def permits(state: TradingState, *, is_shrinking: bool) -> bool:
    """Return whether an order may pass; cancels are never asked about, they always pass."""
    return state is TradingState.ACTIVE or (state is TradingState.REDUCING and is_shrinking)
