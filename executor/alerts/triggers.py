"""Which lines of the log are an alert, and how an abnormal execution is told. Pure.

Stage: log, measures → notices. A kind without a row here alerts nobody; every halt, quarantine,
stranger, dead letter and difference to the venue has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from executor.alerts.notice import Notice, Phase
from executor.log import Said
from executor.quality.alarms import Alert
from when_to_invest.canonical import utc_text
from when_to_invest.money import decimal_text


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    what_to_do: str
    scope: str = ""
    """The detail that says with what; without one it is the whole executor."""
    applies: Callable[[Said], bool] = lambda _: True


_READ: Final = "read the halt's reason in `when-to-invest status`, then `resume`"
_RECONCILE: Final = "reconcile with the venue; `when-to-invest settle` books what you find"
_LETTERS: Final = "see `when-to-invest dlq list`; its group stays halted until the letter is answered"
_PROCESS: Final = "read the executor's log; nothing new is sent until it runs again"
_OVER: Final = "reconciliation_agreed"
_ROWS: Final[Mapping[str, _Row]] = {
    "halted": _Row("halted", _READ),
    "halt_noted": _Row("halted", _READ, "scope"),
    "halt_failed": _Row("halted", "the latch could not be dropped: run `when-to-invest halt` now"),
    "halt_not_journalled": _Row(
        "halted", "the latch holds and the journal does not say so: check its storage"
    ),
    "order_resolved": _Row(
        "quarantined", _RECONCILE, "client_order_id", lambda said: said.text("step") == "quarantined"
    ),
    "strangers_heard": _Row("strangers", "find out who wrote to the journal; trading is halted"),
    "dead_letter": _Row("dead_letter", _LETTERS, "message_id"),
    "message_refused": _Row("forged_message", "find out who can write to the queue", "message_id"),
    "order_contradicted": _Row("venue_differs", _RECONCILE, "client_order_id"),
    "ended_orders_working": _Row("venue_differs", _RECONCILE, "first"),
    "ended_orders_executed_otherwise": _Row("venue_differs", _RECONCILE, "first"),
    "reconciliation_differed": _Row("venue_differs", _RECONCILE, "about"),
    "reconciliation_agreed": _Row("venue_differs", "nothing: venue and journal agree again", "about"),
    "fee_unpriced": _Row(
        "fee_unpriced", "book the fee by hand, or keep no such asset at the venue; then `resume`", "venue"
    ),
    "order_missing": _Row("venue_differs", _RECONCILE, "client_order_id"),
    "cancel_failed": _Row("cancel_failed", "cancel the order at the venue yourself", "client_order_id"),
    "venue_reported": _Row(
        "venue_down",
        "check the venue's status page and the network",
        "venue",
        lambda said: said.text("status") == "down",
    ),
    "broken_off": _Row("broken_off", "the next start looks for what was sent; watch its log"),
    "defect": _Row("defect", _PROCESS),
}


def notice_of(said: Said) -> Notice | None:
    """Return what a line of the log means to people; nothing for most."""
    row = _ROWS.get(said.event)
    if row is None or not row.applies(said):
        return None
    details = [f"{name} {value}" for name, value in said.details.items() if value != ""]
    return Notice(
        kind=row.kind,
        scope=said.text(row.scope) or "executor",
        summary=", ".join((said.event.replace("_", " "), *details)),
        what_to_do=row.what_to_do,
        at="" if said.at is None else utc_text(said.at),
        phase=Phase.OVER if said.event == _OVER else Phase.RAISED,
    )


def notice_of_alarm(alarm: Alert, *, phase: Phase, now: datetime) -> Notice:
    """Return how an abnormal execution is told, when it begins and when it is over."""
    figures = f"{decimal_text(alarm.measured)} {alarm.unit}, allowed are {decimal_text(alarm.bound)}"
    return Notice(
        kind=alarm.kind.value,
        scope=alarm.scope,
        summary=f"{alarm.kind.value.replace('_', ' ')} of {alarm.scope}: {figures}",
        what_to_do=alarm.what_to_do,
        at=utc_text(alarm.since if phase is Phase.RAISED else now),
        phase=phase,
    )
