"""Keeps latch and journal in step: what a latch halted is journalled, what a quorum lifted is taken away.

Stage: every process that appends, whenever it has folded the journal. The ledger it looks at
must check warrants (`LiveLedger`), or a forged resumption would take a latch away.
"""

from __future__ import annotations

from datetime import datetime

from home.latch import Switch
from when_to_invest import events as ev
from when_to_invest.breakers import Halt
from when_to_invest.portfolio import AccountBook
from when_to_invest.standing import latch_key
from when_to_invest.values import Mode


def untold(switch: Switch, book: AccountBook) -> tuple[Halt, ...]:
    """Return the halts of the latch that the journal has not heard of, oldest first."""
    return tuple(halt for halt in _unknown(switch, book) if halt.latch_id)


def in_force(switch: Switch, book: AccountBook) -> tuple[Halt, ...]:
    """Return every halt: those the journal holds, then latches that it has not heard of."""
    return (*book.standing.standing(), *_unknown(switch, book))


def told(halts: tuple[Halt, ...], *, at: datetime, mode: Mode) -> tuple[ev.TradingStateChanged, ...]:
    """Return the events that tell the journal of latches."""
    return tuple(
        ev.TradingStateChanged(
            at=at,
            mode=mode,
            scope=halt.scope,
            state=halt.state,
            by=halt.by,
            why=halt.why,
            latch_id=halt.latch_id,
        )
        for halt in halts
    )


def take_away_lifted(switch: Switch, book: AccountBook) -> int:
    """Take away the latches that a quorum lifted, in the scope and state it saw; return how many.

    Whoever writes the journal can name any latch there under another scope, and have that lifted.
    """
    lifted = {halt.latch_id for halt in switch.read() if latch_key(halt) in book.standing.lifted_latches}
    return switch.lift(lifted) if lifted else 0


def _unknown(switch: Switch, book: AccountBook) -> tuple[Halt, ...]:
    known = book.standing.known_latches
    return tuple(halt for halt in switch.read() if latch_key(halt) not in known)
