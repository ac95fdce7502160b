"""Refuses to open another venue while orders are at the one before. Stage: executor, at start.

An order is looked for where it was sent. Asked about elsewhere it would be proved absent, and what
it still trades would be nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable

from executor.cancelling import MAY_BE_OPEN
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord
from when_to_invest.intents import OrderIntent


def demand_one_venue(records: Iterable[DecisionRecord], venue: str) -> None:
    """Return when nothing that is open, or worked by a plan, is at another venue than `venue`.

    Raises:
        Fault: `mode_mismatch`, naming the venue that has to be opened again.
    """
    elsewhere = sorted({place for record in records for place in _places(record)} - {venue})
    if elsewhere:
        raise Fault(
            ErrorCode.MODE_MISMATCH,
            f"orders are open at {', '.join(elsewhere)}, and this home opens {venue}",
            fix=f'set venue = "{elsewhere[0]}" until they have ended, then change it',
        )


def _places(record: DecisionRecord) -> set[str]:
    places = {order.sent.venue for order in record.orders.values() if order.state in MAY_BE_OPEN}
    is_worked = record.working is not None and record.working.planned is not None and record.is_open
    if is_worked and isinstance(record.intent, OrderIntent):
        places.add(record.intent.venue)
    return places
