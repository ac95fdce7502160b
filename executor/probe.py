"""Named moments at which a test may end the process. In production nothing listens.

A probe is an argument of `executor.main.run`. No flag, setting or environment variable
can set one, so a deployed executor cannot be told to stop at a chosen moment.
"""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Protocol


@unique
class Point(StrEnum):
    """Every moment between a message and its last trace, in the order they happen."""

    RECEIVED = "received"
    """A message is held and its envelope is the journal's own; nothing is verified or journalled."""
    JUDGED = "judged"
    """The executor's own verdict is known; nothing is journalled."""
    SEND_INTENDED = "send_intended"
    """The journal holds the intention to send, synced; the venue has heard nothing."""
    CLEARED = "cleared"
    """Latch and trading states let the order pass; the venue hears of it next."""
    SUBMITTED = "submitted"
    """The venue has answered; the journal does not know."""
    ACKNOWLEDGED = "acknowledged"
    """The journal holds the acknowledgement."""
    BEFORE_DELETE = "before_delete"
    """The message is dealt with; the queue still holds it."""
    FILLED_AT_VENUE = "filled_at_venue"
    """The venue reported a trade; the journal does not know."""
    FILL_RECORDED = "fill_recorded"
    """The journal holds the trade."""
    RECOVERED = "recovered"
    """Former doubts are resolved; the new epoch is not journalled."""


class Probe(Protocol):
    """Listens at the named points."""

    def reached(self, point: Point) -> None:
        """Take note; a test's probe may never return."""
        ...


class NoProbe:
    """The probe of production: does nothing."""

    def reached(self, point: Point) -> None:
        """Do nothing."""
