"""Spans, and the W3C trace context that carries them from one process into the next.

Stage: proposing server → queue → executor. Without a configured exporter nothing is traced and
nothing is loaded. A context that came in is text from outside: one that is malformed is ignored.

Source: W3C Recommendation "Trace Context", sections 3.2 and 4.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_VERSION: Final = "00"
_LONGEST: Final = 512
_FIRST: Final = 55
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class Tracer(Protocol):
    """Makes spans."""

    def span(self, name: str, *, parent: str = "", **attributes: str) -> AbstractContextManager[str]:
        """Time the block and yield its own traceparent, empty when nothing is traced.

        It is a child of `parent`, or without one of the span that the block stands in.
        """
        ...


class NoTracer:
    """Traces nothing; what came in goes on unchanged."""

    @contextmanager
    def span(self, name: str, *, parent: str = "", **attributes: str) -> Iterator[str]:
        """See `Tracer.span`."""
        del name, attributes
        yield valid(parent)


def valid(traceparent: str) -> str:
    """Return `traceparent` when it is one, nothing otherwise; a later version may say more than ours."""
    if len(traceparent) > _LONGEST or not _TRACEPARENT.fullmatch(traceparent[:_FIRST]):
        return ""
    rest = traceparent[_FIRST:]
    if rest and (traceparent.startswith(_VERSION) or not rest.startswith("-")):
        return ""
    return traceparent


def is_configured(environment: Mapping[str, str]) -> bool:
    """Return whether the standard variables ask for an OTLP export of traces."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return False
    return any(environment.get(name, "").strip() for name in _ENDPOINTS)


def open_tracer(service: str, *, environment: Mapping[str, str] | None = None) -> Tracer:
    """Return what traces this process, by the standard `OTEL_` variables; by default nothing does.

    Raises:
        Fault: `bad_config` when an export is asked for and the packages for it are not installed.
    """
    if not is_configured(os.environ if environment is None else environment):
        return NoTracer()
    from home.otlp import otlp_tracer

    return otlp_tracer(service)
