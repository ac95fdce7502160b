"""Holdings under trading states: what halts stand over an account, and how they change.

Part of the account book. A state only tightens here, but for what a quorum lifted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from when_to_invest import events as ev
from when_to_invest.breakers import TradingState, scopes_of, strictest
from when_to_invest.holdings import Holdings
from when_to_invest.standing import Standing


@dataclass(slots=True)
class GovernedHoldings(Holdings):
    """Holdings, with the trading states of every scope that they stand in."""

    trading_states: dict[str, TradingState] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    """The halts behind `trading_states`: since when, by whom and why."""

    def trading_state(self, *, account: str, venue: str, instrument: str) -> TradingState:
        """Return the strictest state of the system and the three scopes."""
        scopes = scopes_of(account=account, venue=venue, instrument=instrument)
        return strictest(*(self.trading_states.get(scope, TradingState.ACTIVE) for scope in scopes))

    def restate(self, event: ev.TradingStateChanged | ev.TradingResumed) -> bool:
        """Tighten, or lift exactly what a quorum named; everything else leaves the state as strict.

        Returns whether a scope was resumed.
        """
        if isinstance(event, ev.TradingStateChanged):
            # INVARIANT: what is halted here stands there, or nobody could lift it.
            if self.standing.tighten(event):
                self.trading_states[event.scope] = self.standing.state(event.scope)
            return False
        is_resumed = self.standing.resume(event)
        if is_resumed:
            self.trading_states.pop(event.scope, None)
        return is_resumed
