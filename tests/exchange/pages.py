"""Lists that are told a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

Entry = TypeVar("Entry")


def page_of(entries: Sequence[Entry], query: Mapping[str, str]) -> tuple[Sequence[Entry], str]:
    """Return what `cursor` and `limit` ask for, and where the next page begins: empty after the last."""
    first, most = int(query.get("cursor") or "0"), int(query.get("limit", "100"))
    end = first + most
    return entries[first:end], str(end) if end < len(entries) else ""
