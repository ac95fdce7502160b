"""Which process may write which event: one table, for those who write and those who watch.

Stage: right before an append, and where the executor reads. A journal proves that nothing was
changed, not who wrote. Every process refuses to write what is not its own, so what only the
executor writes, and the running executor did not, was written by somebody who should not.
It must never say what an event may do: signatures and folds do.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from when_to_invest import events as ev
from when_to_invest import keyholders as kh
from when_to_invest import workings as wk
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.letters import DeadLetterAnswered, DeadLetterArrived
from when_to_invest.marks import AccountMarked, VenueReported
from when_to_invest.reconciliation import (
    BalancesTaken,
    ReconciliationAgreed,
    ReconciliationDiffered,
)
from when_to_invest.values import Value


@unique
class Writer(StrEnum):
    """A process that writes to the journal."""

    ORDERS = "orders server"
    EXECUTOR = "executor"
    OPERATOR = "operator's command"


_ORDERS: Final = frozenset({Writer.ORDERS})
_EXECUTOR: Final = frozenset({Writer.EXECUTOR})
_PEOPLE: Final = frozenset({Writer.ORDERS, Writer.OPERATOR})

WRITERS: Final = MappingProxyType[type[Value], frozenset[Writer]](
    {
        ev.AccountFunded: _ORDERS,
        ev.IntentProposed: _ORDERS,
        ev.IntentJudged: frozenset({Writer.ORDERS, Writer.EXECUTOR}),
        ev.ApprovalGiven: _ORDERS,
        ev.ApprovalDeclined: _ORDERS,
        ev.EnvelopeSealed: _ORDERS,
        ev.EnvelopeQueued: _ORDERS,
        ev.EnvelopeReceived: _EXECUTOR,
        ev.EnvelopeRejected: _EXECUTOR,
        ev.MessageRefused: _EXECUTOR,
        DeadLetterArrived: _EXECUTOR,
        DeadLetterAnswered: _ORDERS,
        ev.SendIntended: _EXECUTOR,
        ev.OrderMoved: _EXECUTOR,
        ev.OrderFilled: _EXECUTOR,
        ev.CancelRequested: _ORDERS,
        wk.ExecutionPlanned: _EXECUTOR,
        wk.ExecutionFinished: _EXECUTOR,
        wk.OrderAmended: _ORDERS,
        # Anybody may tighten.
        ev.TradingStateChanged: frozenset(Writer),
        ev.TradingResumed: _ORDERS,
        ev.OrderSettled: _ORDERS,
        AccountMarked: _EXECUTOR,
        VenueReported: _EXECUTOR,
        BalancesTaken: _EXECUTOR,
        ReconciliationDiffered: _EXECUTOR,
        ReconciliationAgreed: _EXECUTOR,
        ev.RecoveryCompleted: _EXECUTOR,
        kh.HomeFounded: _ORDERS,
        kh.ApproversFounded: _ORDERS,
        kh.ApproverEnrolled: _PEOPLE,
        kh.ApproverRemoved: _PEOPLE,
        kh.SealKeyAdded: _PEOPLE,
        kh.SealKeyRetired: _PEOPLE,
    }
)
"""By kind of event; of `IntentJudged`, each judge writes their own."""
_JUDGES: Final = {ev.Judge.GATE: _ORDERS, ev.Judge.EXECUTOR: _EXECUTOR}


def writers_of(event: ev.Event) -> frozenset[Writer]:
    """Return which processes may write `event`; none of an unlisted kind."""
    if isinstance(event, ev.IntentJudged):
        return _JUDGES[event.judge]
    return WRITERS.get(type(event), frozenset())


def is_executors_alone(event: ev.Event) -> bool:
    """Return whether nobody but the executor may write `event`."""
    return writers_of(event) == _EXECUTOR


def demand_own(events: Iterable[ev.Event], writer: Writer) -> None:
    """Return when `writer` may write all of `events`.

    Raises:
        Fault: `illegal_transition`, naming the kind; nothing may be appended.
    """
    for event in events:
        if writer not in writers_of(event):
            raise Fault(
                ErrorCode.ILLEGAL_TRANSITION,
                f"the {writer.value} may not write {event.kind}",
                fix="report this defect; nothing was recorded",
            )
