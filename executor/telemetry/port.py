"""The telemetry port: counts, figures and spans. Stage: executor. By default it does nothing.

Whoever implements it may neither wait, raise nor decide anything: no order is ever the better or
worse for being measured. Ids belong to `decision_id`, never to a dimension.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum, unique
from typing import Protocol


@unique
class Unit(StrEnum):
    """Units as CloudWatch names them."""

    COUNT = "Count"
    MILLISECONDS = "Milliseconds"
    SECONDS = "Seconds"
    NONE = "None"


class Telemetry(Protocol):
    """Where the executor's figures and spans go."""

    def count(self, name: str, by: int = 1, **dimensions: str) -> None:
        """Add `by` to a counter."""
        ...

    def observe(
        self, name: str, value: float, unit: Unit, *, decision_id: str = "", **dimensions: str
    ) -> None:
        """Note one figure; `decision_id` says of what, where it is of one decision."""
        ...

    def span(self, name: str, *, decision_id: str = "", parent: str = "") -> AbstractContextManager[None]:
        """Time the block, as a child of the W3C traceparent `parent`, or of the span it stands in."""
        ...


class NoTelemetry:
    """Does nothing."""

    def count(self, name: str, by: int = 1, **dimensions: str) -> None:
        """See `Telemetry.count`."""

    def observe(
        self, name: str, value: float, unit: Unit, *, decision_id: str = "", **dimensions: str
    ) -> None:
        """See `Telemetry.observe`."""

    @contextmanager
    def span(self, name: str, *, decision_id: str = "", parent: str = "") -> Iterator[None]:
        """See `Telemetry.span`."""
        del name, decision_id, parent
        yield
