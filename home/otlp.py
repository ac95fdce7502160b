"""Traces over OTLP by the OpenTelemetry SDK, which reads its own standard variables.

Stage: adapter. Loaded only when an export is asked for. Spans leave in batches on a thread of the
SDK's own; a collector that does not answer loses spans and holds up nothing. Only names and
attributes given here leave: no library's own spans, no arguments, no bodies.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from home.tracing import valid
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_NEEDED: Final = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


class OtelTracer:
    """Implements `Tracer` on a provider of this process alone."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("when-to-invest")
        self.close = provider.shutdown

    @contextmanager
    def span(self, name: str, *, parent: str = "", **attributes: str) -> Iterator[str]:
        """See `Tracer.span`."""
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        known = {key: value for key, value in attributes.items() if value}
        context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if valid(parent) else None
        # What went wrong may quote anything, so that only that it did is told.
        with self._tracer.start_as_current_span(
            name,
            context=context,
            attributes=known,
            record_exception=False,
            set_status_on_exception=False,
        ):
            carrier: dict[str, str] = {}
            TraceContextTextMapPropagator().inject(carrier)
            yield carrier.get("traceparent", "")


def otlp_tracer(service: str) -> OtelTracer:
    """Return a tracer that exports as the standard variables say; call its `close` at the end.

    Raises:
        Fault: `bad_config` when the `telemetry` extra is not installed.
    """
    if not _is_installed():
        raise Fault(
            ErrorCode.BAD_CONFIG,
            "OTEL_ variables ask for traces, and the packages that send them are not installed",
            fix="install when-to-invest[telemetry], or set OTEL_SDK_DISABLED=true",
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # It quotes addresses with every failed export, on a log that is ours.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: f"when-to-invest-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OtelTracer(provider)


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec(_NEEDED) is not None
    except ModuleNotFoundError:
        return False
