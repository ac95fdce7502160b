"""Which lines of the log people are told of, and in which words."""

from __future__ import annotations

import ast
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from executor.alerts.notice import Phase
from executor.alerts.triggers import _ROWS, notice_of, notice_of_alarm
from executor.log import Log, Said
from executor.quality.alarms import Alert, Kind

AT = datetime(2018, 6, 4, 21, 5, tzinfo=UTC)
EXECUTOR = Path(__file__).parents[3] / "executor"


def said(event: str, **details: str | int | bool) -> Said:
    heard: list[Said] = []
    log = Log(io.StringIO())
    log.listen(heard.append)
    log.say(event, at=AT, **details)
    return heard[0]


@pytest.mark.parametrize(
    ("event", "details", "kind", "scope"),
    [
        ("halted", {"why": "a stranger"}, "halted", "executor"),
        ("halt_noted", {"scope": "venue:paper", "state": "halted"}, "halted", "venue:paper"),
        ("order_resolved", {"step": "quarantined", "client_order_id": "c-1"}, "quarantined", "c-1"),
        ("strangers_heard", {"sequence": 7, "kind": "order_filled"}, "strangers", "executor"),
        ("dead_letter", {"message_id": "m-1", "code": "bad_signature"}, "dead_letter", "m-1"),
        ("order_contradicted", {"client_order_id": "c-1"}, "venue_differs", "c-1"),
        ("venue_reported", {"venue": "paper", "status": "down"}, "venue_down", "paper"),
    ],
)
def test_what_needs_people_is_told(event: str, details: dict[str, str], kind: str, scope: str) -> None:
    notice = notice_of(said(event, **details))
    assert notice is not None
    assert (notice.kind, notice.scope, notice.phase) == (kind, scope, Phase.RAISED)
    assert notice.at == "2018-06-04T21:05:00Z"
    assert notice.what_to_do


@pytest.mark.parametrize(
    ("event", "details"),
    [
        ("order_filled", {"decision_id": "d-1"}),
        ("order_resolved", {"step": "acknowledged"}),
        ("venue_reported", {"venue": "paper", "status": "open"}),
        ("started", {}),
    ],
)
def test_what_goes_as_it_should_alerts_nobody(event: str, details: dict[str, str]) -> None:
    assert notice_of(said(event, **details)) is None


def spoken() -> set[str]:
    """Return every literal that some part of the executor says to the log."""
    calls = (
        node
        for path in EXECUTOR.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if path.name != "triggers.py"
    )
    return {str(node.value) for node in calls}


def test_every_line_that_alerts_is_one_that_somebody_says() -> None:
    assert set(_ROWS) - spoken() == set()


def test_an_abnormal_execution_is_told_with_its_figures_when_it_begins_and_when_it_is_over() -> None:
    alarm = Alert(Kind.LATENCY, "venue:paper", Decimal("7.5"), Decimal(5), "s", AT, "check the network")
    begun = notice_of_alarm(alarm, phase=Phase.RAISED, now=AT)
    over = notice_of_alarm(alarm, phase=Phase.OVER, now=AT)
    assert begun.summary == "latency of venue:paper: 7.5 s, allowed are 5"
    assert (begun.kind, begun.scope) == (over.kind, over.scope)
    assert begun.idempotency_key != over.idempotency_key
