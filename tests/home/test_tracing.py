"""What is a trace context, and that nothing is traced unless somebody asks for it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.tracing import NoTracer, is_configured, open_tracer, valid

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    "text", [GOOD, f"00-{TRACE}-{SPAN}-00", f"cc-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-more"]
)
def test_a_trace_context_is_taken_as_it_is(text: str) -> None:
    assert valid(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        GOOD.upper(),
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD}-more",
        f"cc-{TRACE}-{SPAN}-01more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-" + "x" * 600,
    ],
)
def test_what_is_no_trace_context_is_nothing(text: str) -> None:
    assert valid(text) == ""


@given(st.text())
def test_any_text_is_a_trace_context_or_nothing(text: str) -> None:
    assert valid(text) in {text, ""}


@pytest.mark.parametrize(
    ("environment", "is_asked_for"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "True"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_alone_turn_it_on(environment: dict[str, str], is_asked_for: bool) -> None:  # noqa: FBT001 - drawn
    assert is_configured(environment) is is_asked_for
    assert isinstance(open_tracer("executor", environment=environment if not is_asked_for else {}), NoTracer)


def test_without_a_tracer_a_context_goes_on_unchanged() -> None:
    with NoTracer().span("queue.send", parent=GOOD) as own:
        assert own == GOOD


def test_help_and_an_untraced_executor_load_no_tracing_library() -> None:
    code = (
        "import sys, cli.main, executor.main, executor.telemetry.instruments, home.tracing\n"
        "home.tracing.open_tracer('executor', environment={})\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'opentelemetry', 'boto3'}])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
