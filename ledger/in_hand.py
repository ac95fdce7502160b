"""The events that a process has just appended, by hash: it reads them back, but need not parse them.

What is read is still the file, and every byte of it is checked by its hash, which is what an
event in hand goes by. Nothing is ever taken to be recorded because it is in hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from when_to_invest.events import Event

InHand = Mapping[bytes, Event]
"""Events by the 32 bytes of their link's hash, which covers their place and every byte of them."""
NOTHING_IN_HAND: Final[InHand] = MappingProxyType({})
_MOST: Final = 512


def in_hand_of(rows: Sequence[tuple[int, bytes, bytes, bytes]], events: Sequence[Event]) -> InHand:
    """Return the last of `events` by the hash under which they were just appended as `rows`."""
    return {row[2]: event for row, event in zip(rows[-_MOST:], events[-_MOST:], strict=True)}
