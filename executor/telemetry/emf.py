"""Counts and figures as CloudWatch embedded metric format: JSON lines, one series each, every interval.

Stage: executor → stdout, from which CloudWatch Logs takes them; no agent, no call. A thread of its
own writes, so that a reader who stops reading holds up nothing: what then finds no room is
counted as dropped. Dimensions are a fixed few; a decision's id is a property of the line.

Source: "Specification: Embedded metric format", Amazon CloudWatch User Guide.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TextIO

from executor.redaction import redacted
from executor.telemetry.port import Unit

NAMESPACE: Final = "WhenToInvest"
DIMENSIONS: Final = frozenset({"event", "code", "outcome", "stage", "venue", "kind", "channel"})
"""The only ones there are; each takes few values."""
MOST_VALUES: Final = 100
"""Most figures in one line, by the specification."""
MOST_SERIES: Final = 200
"""Most series at one time: a name gone wild costs lines, never memory or a bill without end."""
MOST_LINES: Final = 500
"""Most lines that wait to be written."""
_LONGEST_DIMENSION: Final = 100
_CLOSE_WITHIN_S: Final = 2.0
_Key = tuple[str, Unit, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class _Series:
    values: list[float] = field(default_factory=list)
    largest: float = float("-inf")
    decision_id: str = ""
    """Of what the largest figure was."""


class EmfMetrics:
    """Gathers figures from any thread and writes them as lines when flushed."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        service: str = "executor",
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._stream = stream
        self._service = service
        self._now_s = now_s
        self._lock = threading.Lock()
        self._series: dict[_Key, _Series] = {}
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._is_over = threading.Event()
        self._writer: threading.Thread | None = None

    def start(self, *, every_s: float) -> None:
        """Write what was gathered every `every_s` seconds, until `close`."""
        self._writer = threading.Thread(target=self._keep_writing, args=(every_s,), name="emf", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Write the rest; wait for it no longer than two seconds."""
        self._is_over.set()
        if self._writer is None:
            self.flush()
        else:
            self._writer.join(_CLOSE_WITHIN_S)

    def count(self, name: str, by: int = 1, **dimensions: str) -> None:
        """Add `by` to a counter."""
        with self._lock:
            series = self._of((name, Unit.COUNT, _chosen(dimensions)))
            if series is not None:
                series.values = [sum(series.values) + by]

    def observe(
        self, name: str, value: float, unit: Unit, *, decision_id: str = "", **dimensions: str
    ) -> None:
        """Note one figure; one that is no finite number is dropped."""
        with self._lock:
            is_figure = abs(value) < float("inf")
            key = (name, unit, _chosen(dimensions))
            series = self._of(key) if is_figure else None
            if series is None:
                self._dropped += not is_figure
                return
            series.values.append(value)
            if value > series.largest:
                series.largest, series.decision_id = value, decision_id
            if len(series.values) >= MOST_VALUES:
                self._put(key, self._series.pop(key))

    def flush(self) -> None:
        """Write everything gathered so far."""
        with self._lock:
            gathered, self._series = self._series, {}
            for key, series in gathered.items():
                self._put(key, series)
            if self._dropped:
                self._lines.append(
                    self._line(("telemetry_dropped", Unit.COUNT, ()), _Series([self._dropped]))
                )
                self._dropped = 0
        self._write()

    def _of(self, key: _Key) -> _Series | None:
        found = self._series.get(key)
        if found is None and len(self._series) < MOST_SERIES:
            found = self._series[key] = _Series()
        if found is None:
            self._dropped += 1
        return found

    def _put(self, key: _Key, series: _Series) -> None:
        if len(self._lines) < MOST_LINES:
            self._lines.append(self._line(key, series))
        else:
            self._dropped += len(series.values)

    def _line(self, key: _Key, series: _Series) -> str:
        name, unit, chosen = key
        dimensions = {"service": self._service, **dict(chosen)}
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": name, "Unit": unit.value}],
        }
        document: dict[str, object] = {
            "_aws": {"Timestamp": int(self._now_s() * 1000), "CloudWatchMetrics": [directive]}
        }
        if series.decision_id:
            document["decision_id_of_largest"] = series.decision_id
        figures = series.values if len(series.values) > 1 else series.values[0]
        return json.dumps(document | dimensions | {name: figures})

    def _write(self) -> None:
        stream = self._stream or sys.stdout
        # Somebody who hung up is no reason to stop.
        with suppress(OSError, IndexError):
            while True:
                stream.write(self._lines.popleft() + "\n")
                stream.flush()

    def _keep_writing(self, every_s: float) -> None:
        while not self._is_over.wait(every_s):
            self.flush()
        self.flush()


def _chosen(dimensions: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the known dimensions that have a value, clean and short, in one order."""
    return tuple(
        (name, redacted(dimensions[name])[:_LONGEST_DIMENSION])
        for name in sorted(DIMENSIONS & dimensions.keys())
        if dimensions[name].strip()
    )
