"""Follows each decision from its proposal to the queue, for whoever reads traces.

Stage: proposing server. A sitting decides for several callers in one thread, so a decision's place in
its trace is kept by its id. It is remembered in memory alone: what waits in the outbox when this
process dies goes out untraced. Nothing here may decide, wait or fail a request.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from home.tracing import NoTracer, Tracer

MOST_FOLLOWED: Final = 2048
"""Decisions whose place is remembered; the longest followed is forgotten first."""


@dataclass(slots=True)
class Trail:
    """The spans of decisions under way; calls may come from several threads."""

    tracer: Tracer = field(default_factory=NoTracer)
    _places: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def begin(self, name: str, decision_id: str) -> Iterator[None]:
        """Time a request about a decision; what follows of it belongs below this span."""
        with self.tracer.span(name, parent=self._place(decision_id), decision_id=decision_id) as own:
            if own:
                self._keep(decision_id, own)
            yield

    @contextmanager
    def step(self, name: str, decision_id: str) -> Iterator[str]:
        """Time one step of what was begun; yield its traceparent, empty when nothing is traced."""
        with self.tracer.span(name, parent=self._place(decision_id), decision_id=decision_id) as own:
            yield own

    def _place(self, decision_id: str) -> str:
        with self._lock:
            return self._places.get(decision_id, "")

    def _keep(self, decision_id: str, traceparent: str) -> None:
        with self._lock:
            self._places[decision_id] = traceparent
            self._places.move_to_end(decision_id)
            while len(self._places) > MOST_FOLLOWED:
                self._places.popitem(last=False)
