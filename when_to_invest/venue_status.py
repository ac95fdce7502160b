"""What a venue says of itself: one of four words, journalled when it changes."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class TradingStatus(StrEnum):
    """Whether a venue trades.

    `OPEN`: it takes orders. `CLOSED`: between sessions; orders may rest. `HALTED`: it, or the
    whole market, has stopped trading. `DOWN`: it does not answer.
    """

    OPEN = "open"
    CLOSED = "closed"
    HALTED = "halted"
    DOWN = "down"
