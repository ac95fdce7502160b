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


@dataclass(slots=True)
class Standing:
    """Halts by scope, each with the digest of its event; `resumed_at` of scopes that went on."""

    serial: int = 0
    """How many tightenings and resumptions there have been, in any scope."""
    halts: dict[str, list[tuple[str, Halt]]] = field(default_factory=dict)
    known_latches: set[str] = field(default_factory=set)
    lifted_latches: set[str] = field(default_factory=set)
    resumed_at: dict[str, datetime] = field(default_factory=dict)

    def tighten(self, event: ev.TradingStateChanged) -> None:
        """Add a halt; the same latch told twice is one halt, and a loosening is none."""
        if event.state is TradingState.ACTIVE or event.latch_id in self.known_latches:
            return
        if event.latch_id:
            self.known_latches.add(event.latch_id)
        self.serial += 1
        halt = Halt(event.scope, event.state, event.at, event.by, event.why, event.latch_id)
        self.halts.setdefault(event.scope, []).append((event.digest(), halt))

    def resume(self, event: ev.TradingResumed) -> bool:
        """Lift the halts of a scope; return whether the event was made on exactly this state."""
        lifted = self.halts.get(event.scope, [])
        is_void = event.motion.serial != self.serial or self.hash_of(event.scope) != event.halts_hash
        if not lifted or is_void:
            return False
        del self.halts[event.scope]
        self.serial += 1
        self.lifted_latches.update(halt.latch_id for _, halt in lifted if halt.latch_id)
        self.resumed_at[event.scope] = event.at
        return True

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
