"""Figures and traces together: the telemetry of a running executor.

Stage: executor. A span is timed once and told to both. What the log says is counted here, so
that a new line needs no counter of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from executor.log import Said
from executor.telemetry.emf import DIMENSIONS
from executor.telemetry.port import Telemetry, Unit
from home.tracing import NoTracer, Tracer

_COUNTED_BY: Final = DIMENSIONS & {"code", "outcome", "venue"}


class Metrics(Protocol):
    """Where counts and figures go."""

    def count(self, name: str, by: int = 1, **dimensions: str) -> None:
        """See `Telemetry.count`."""
        ...

    def observe(
        self, name: str, value: float, unit: Unit, *, decision_id: str = "", **dimensions: str
    ) -> None:
        """See `Telemetry.observe`."""
        ...


class Instruments:
    """Implements `Telemetry` on metrics and a tracer."""

    def __init__(
        self,
        metrics: Metrics,
        tracer: Tracer | None = None,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.count = metrics.count
        self.observe = metrics.observe
        self._tracer = tracer or NoTracer()
        self._monotonic_s = monotonic_s

    @contextmanager
    def span(self, name: str, *, decision_id: str = "", parent: str = "") -> Iterator[None]:
        """See `Telemetry.span`; its duration is the figure `stage_ms` of stage `name`."""
        began_s = self._monotonic_s()
        try:
            with self._tracer.span(name, parent=parent, decision_id=decision_id):
                yield
        finally:
            took_ms = (self._monotonic_s() - began_s) * 1000
            self.observe("stage_ms", took_ms, Unit.MILLISECONDS, decision_id=decision_id, stage=name)


def count_lines(telemetry: Telemetry) -> Callable[[Said], None]:
    """Return a listener that counts the log's lines by event, and by code, outcome and venue."""

    def heard(said: Said) -> None:
        details = {name: said.text(name) for name in _COUNTED_BY if name in said.details}
        telemetry.count("events", 1, event=said.event, **details)

    return heard
