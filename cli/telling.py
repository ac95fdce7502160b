"""Tells the journal of a halt that a latch already holds; a service tells it later otherwise.

Stage: after the latch fell. It is imported before the wait for the journal begins: how long a
busy machine takes to load code says nothing about whether the journal answers.
"""

from __future__ import annotations

from threading import Event

from home.paths import Home
from home.settings import read_settings
from ledger.halting import told
from ledger.opening import has_ledger, open_ledger
from when_to_invest.breakers import Halt
from when_to_invest.errors import Fault


def tell(home: Home, dropped: Halt, is_told: Event) -> None:
    """Append `dropped` to the journal and set `is_told`; leave it unset when that cannot be done."""
    try:
        settings = read_settings(home)
        if not has_ledger(settings.ledger, home):
            return
        journal = open_ledger(settings.ledger, home)
        try:
            journal.append(told((dropped,), at=dropped.at, mode=settings.mode))
        finally:
            journal.close()
    except Fault:
        return
    is_told.set()
