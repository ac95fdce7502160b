"""Which halts stand: a fold of tightenings and of the resumptions that lifted them.

Stage: fold. A tightening can only tighten here, whatever state it names; only a resumption
over exactly the halts that stand lifts them. Whether its signatures hold is for the caller
to check before it is folded (`ledger.live`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from when_to_invest import events as ev
from when_to_invest.breakers import Halt, TradingState, strictest

LatchKey = tuple[str, str, TradingState]
"""Which latch, in which scope, how far: another scope or state under the same id is another latch."""


def latch_key(halt: Halt) -> LatchKey:
    """Return what a latch is known by."""
    return halt.latch_id, halt.scope, halt.state


@dataclass(slots=True)
class Standing:
    """Halts by scope, each with the digest of its event; `resumed_at` of scopes that went on."""

    serial: int = 0
    """How many tightenings and resumptions the journal holds, in any scope.

    # INVARIANT: whoever folds one journal counts the same, whomever they believe: a resumption counts
    that is passed over, too. Or what was signed before one could be good where that one is not.
    """
    halts: dict[str, list[tuple[str, Halt]]] = field(default_factory=dict)
    known_latches: set[LatchKey] = field(default_factory=set)
    lifted_latches: set[LatchKey] = field(default_factory=set)
    resumed_at: dict[str, datetime] = field(default_factory=dict)

    def tighten(self, event: ev.TradingStateChanged) -> bool:
        """Add a halt and say so; the same latch told twice is one halt, and a loosening is none."""
        halt = Halt(event.scope, event.state, event.at, event.by, event.why, event.latch_id)
        if event.state is TradingState.ACTIVE or latch_key(halt) in self.known_latches:
            return False
        if event.latch_id:
            self.known_latches.add(latch_key(halt))
        self.serial += 1
        self.halts.setdefault(event.scope, []).append((event.digest(), halt))
        return True

    def resume(self, event: ev.TradingResumed) -> bool:
        """Lift the halts of a scope; return whether the event was made on exactly this state."""
        is_met = self.is_met_by(event)
        self.pass_by()
        if not is_met:
            return False
        lifted = self.halts.pop(event.scope)
        self.lifted_latches.update(latch_key(halt) for _, halt in lifted if halt.latch_id)
        self.resumed_at[event.scope] = event.at
        return True

    def pass_by(self) -> None:
        """Count a resumption that lifts nothing here."""
        self.serial += 1

    def is_met_by(self, event: ev.TradingResumed) -> bool:
        """Return whether a resumption was made on exactly the halts that stand now."""
        is_same = event.motion.serial == self.serial and self.hash_of(event.scope) == event.halts_hash
        return event.scope in self.halts and is_same

    def state(self, scope: str) -> TradingState:
        """Return the strictest state that stands for one scope."""
        return strictest(*(halt.state for _, halt in self.halts.get(scope, ())))

    def standing(self, scope: str | None = None) -> tuple[Halt, ...]:
        """Return the halts that stand in one scope, or in all, oldest first within a scope."""
        return tuple(halt for name, told in self.halts.items() for _, halt in told if scope in {None, name})

    def hash_of(self, scope: str) -> str:
        """Return the hash of the halt events that stand in `scope`, in order; 64 hex digits."""
        told = "".join(digest for digest, _ in self.halts.get(scope, ()))
        return hashlib.sha256(told.encode()).hexdigest()
