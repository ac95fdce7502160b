"""Canonical forms that are asked for again and again, written once for each object.

An intent is hashed, sealed, journalled twice and queued, each time with the same bytes. They
are remembered with the very object they were written from, which never changes; a copy of it,
or an equal one, is written anew.
"""

from __future__ import annotations

from typing import Final

from when_to_invest.values import Value

_PLACES: Final = 1_024
"""Objects remembered at most: those of a few sittings of the desk."""
_ALIGNMENT: Final = 16
"""No two objects begin within as many bytes of each other."""
_kept: Final[list[tuple[Value, bytes] | None]] = [None] * _PLACES
"""Each entry keeps its object alive, so that no other one can come to have its identity."""


class WrittenOnce(Value):
    """A value that is written at the first call; the object itself holds nothing of it."""

    def canonical(self) -> bytes:
        """Return the one byte form that is journalled, queued and signed."""
        place = id(self) // _ALIGNMENT % _PLACES
        kept = _kept[place]
        if kept is not None and kept[0] is self:
            return kept[1]
        written = super().canonical()
        _kept[place] = (self, written)
        return written
