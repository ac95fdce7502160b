"""A door for each message group: of one group, one order at a time is on its way to the venue.

Stage: executor. Messages of a group come one after the other, and so do the children of a plan;
where both are about the same group, they meet here.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict


class Doors:
    """Locks by message group; there are as many as groups that anything was sealed for."""

    def __init__(self) -> None:
        self._doors: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def of(self, group: str) -> asyncio.Lock:
        """Return the group's door, to be held from the look at its doubts until an outcome is recorded."""
        return self._doors[group]
