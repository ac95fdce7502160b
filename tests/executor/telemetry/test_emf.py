"""Lines that CloudWatch can read, of a bounded number of series, whoever measures what."""

from __future__ import annotations

import io
import json
import math
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.log import Log
from executor.telemetry.emf import DIMENSIONS, MOST_LINES, MOST_SERIES, MOST_VALUES, EmfMetrics
from executor.telemetry.instruments import Instruments, count_lines
from executor.telemetry.port import Unit
from tests.executor.telemetry.emf_rules import check_document

NOW_S = 1_800_000_000.25


def written(metrics: EmfMetrics, stream: io.StringIO) -> list[dict[str, Any]]:
    metrics.flush()
    documents = [json.loads(line) for line in stream.getvalue().splitlines()]
    for document in documents:
        check_document(document)
    return documents


def opened() -> tuple[EmfMetrics, io.StringIO]:
    stream = io.StringIO()
    return EmfMetrics(stream, now_s=lambda: NOW_S), stream


def test_a_counter_adds_up_until_it_is_flushed() -> None:
    metrics, stream = opened()
    for _ in range(3):
        metrics.count("events", event="order_sent")
    metrics.count("events", 2, event="order_sent")
    (document,) = written(metrics, stream)
    assert (document["events"], document["event"], document["service"]) == (5, "order_sent", "executor")
    assert document["_aws"]["Timestamp"] == 1_800_000_000_250
    metrics.count("events", event="order_sent")
    assert [each["events"] for each in written(metrics, stream)] == [5, 1]


def test_a_decision_is_a_property_and_never_a_dimension() -> None:
    metrics, stream = opened()
    metrics.observe("stage_ms", 1.0, Unit.MILLISECONDS, decision_id="d-1", stage="judge")
    metrics.observe("stage_ms", 9.0, Unit.MILLISECONDS, decision_id="d-2", stage="judge")
    metrics.observe("stage_ms", 2.0, Unit.MILLISECONDS, decision_id="d-3", stage="judge")
    (document,) = written(metrics, stream)
    assert document["decision_id_of_largest"] == "d-2"
    assert document["stage_ms"] == [1.0, 9.0, 2.0]
    assert document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service", "stage"]]
    assert "decision_id" not in DIMENSIONS


def test_more_figures_than_a_line_takes_make_more_lines_and_none_is_lost() -> None:
    metrics, stream = opened()
    for value in range(2 * MOST_VALUES + 7):
        metrics.observe("stage_ms", float(value), Unit.MILLISECONDS)
    values = [document["stage_ms"] for document in written(metrics, stream)]
    assert [len(each) for each in values] == [MOST_VALUES, MOST_VALUES, 7]
    assert [figure for each in values for figure in each] == [
        float(value) for value in range(2 * MOST_VALUES + 7)
    ]


def test_a_value_gone_wild_makes_a_bounded_number_of_series_and_says_so() -> None:
    metrics, stream = opened()
    for number in range(MOST_SERIES + 50):
        metrics.count("events", event=f"e{number}")
    documents = written(metrics, stream)
    assert len(documents) == MOST_SERIES + 1
    assert documents[-1]["telemetry_dropped"] == 50


def test_what_is_no_known_dimension_or_no_figure_is_left_out() -> None:
    metrics, stream = opened()
    metrics.count("events", event="x", client_order_id="c-1", venue="")
    metrics.observe("age_s", math.nan, Unit.SECONDS)
    metrics.observe("age_s", math.inf, Unit.SECONDS)
    first, dropped = written(metrics, stream)
    assert "client_order_id" not in first
    assert "venue" not in first
    assert dropped["telemetry_dropped"] == 2


def test_a_reader_who_has_stopped_costs_lines_and_never_memory() -> None:
    metrics, stream = opened()
    for _ in range(MOST_VALUES * (MOST_LINES + 3)):
        metrics.observe("stage_ms", 1.0, Unit.MILLISECONDS)
    documents = written(metrics, stream)
    assert len(documents) == MOST_LINES + 1
    assert documents[-1]["telemetry_dropped"] == 3 * MOST_VALUES


def test_a_pipe_that_is_full_holds_nobody_up() -> None:
    class Full(io.StringIO):
        entered, may_go_on = threading.Event(), threading.Event()

        def write(self, text: str, /) -> int:
            self.entered.set()
            self.may_go_on.wait(30)
            return len(text)

    stream = Full()
    metrics = EmfMetrics(stream)
    metrics.count("events", event="first")
    metrics.start(every_s=0.001)
    assert stream.entered.wait(30)
    for _ in range(1000):
        metrics.count("events", event="order_sent")
    stream.may_go_on.set()
    metrics.close()


def test_a_reader_who_hung_up_stops_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    metrics = EmfMetrics(Gone())
    metrics.count("events")
    metrics.close()


NAMES = st.sampled_from(["events", "orders_in_hand"])
DIMENSION_SETS = st.dictionaries(st.sampled_from(sorted(DIMENSIONS)), st.text(max_size=200), max_size=4)


@given(st.lists(st.tuples(NAMES, DIMENSION_SETS, st.floats()), max_size=30))
def test_every_line_keeps_to_the_specification(drawn: list[tuple[str, dict[str, str], float]]) -> None:
    metrics, stream = opened()
    for name, dimensions, value in drawn:
        metrics.count(name, 1, **dimensions)
        metrics.observe(f"{name}_s", value, Unit.SECONDS, decision_id="", **dimensions)
    written(metrics, stream)


def test_what_the_log_says_is_counted_by_event_and_outcome() -> None:
    metrics, stream = opened()
    log = Log(io.StringIO())
    log.listen(count_lines(Instruments(metrics)))
    log.say("order_sent", decision_id="d-1", outcome="accepted")
    log.say("order_sent", decision_id="d-2", outcome="accepted")
    log.say("retrying", code="venue_unavailable", failures=1)
    documents = written(metrics, stream)
    assert [(each["event"], each["events"]) for each in documents] == [("order_sent", 2), ("retrying", 1)]
    assert documents[0]["outcome"] == "accepted"


def test_a_span_is_timed_also_when_its_block_fails() -> None:
    metrics, stream = opened()
    ticks = iter([10.0, 10.5])
    instruments = Instruments(metrics, monotonic_s=lambda: next(ticks))
    with pytest.raises(LookupError), instruments.span("submit", decision_id="d-1"):
        raise LookupError
    (document,) = written(metrics, stream)
    assert (document["stage_ms"], document["stage"]) == (500.0, "submit")
