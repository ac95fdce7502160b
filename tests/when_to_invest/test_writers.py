"""Who may write what: every kind of event has its writers, and everybody else refuses to write it."""

from __future__ import annotations

import pytest

from tests.when_to_invest.samples import Story, one_of_each, order_intent
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.writers import WRITERS, Writer, demand_own, is_executors_alone, writers_of


def test_every_kind_of_event_has_its_writers() -> None:
    assert set(WRITERS) == set(ev.EVENT_KINDS)
    assert all(WRITERS.values())


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: event.kind)
@pytest.mark.parametrize("writer", Writer)
def test_a_writer_refuses_what_is_not_its_own(event: ev.Event, writer: Writer) -> None:
    if writer in writers_of(event):
        demand_own([event], writer)
        return
    with pytest.raises(Fault) as refused:
        demand_own([event], writer)
    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION


@pytest.mark.parametrize("kind", [ev.EnvelopeRejected, ev.OrderMoved, ev.OrderFilled, ev.SendIntended])
def test_what_frees_a_reservation_is_the_executors_alone(kind: type[ev.Event]) -> None:
    assert WRITERS[kind] == {Writer.EXECUTOR}


def test_each_judge_writes_their_own_verdict() -> None:
    judged = Story(order_intent()).judged()
    assert writers_of(judged) == {Writer.ORDERS}
    assert is_executors_alone(judged.model_copy(update={"judge": ev.Judge.EXECUTOR}))
