"""A twin of the account book: what it would be after events that are not recorded yet.

Stage: between deciding and recording. Nothing done to the twin reaches the original.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from copy import copy
from dataclasses import fields
from typing import Any

from when_to_invest.portfolio import AccountBook


def twin_of(book: AccountBook) -> AccountBook:
    """Return a book equal to `book` that shares nothing with it that can change."""
    twin: AccountBook = _twin(book)
    return twin


def _twin(value: Any) -> Any:
    match value:
        case dict():
            return (
                value.copy()
                if _hold_still(value.values())
                else {key: _twin(item) for key, item in value.items()}
            )
        case list() | deque() | set():
            return value.copy() if _hold_still(value) else type(value)(map(_twin, value))
        case _ if _changes(value):
            made = copy(value)
            for each in fields(value):
                setattr(made, each.name, _twin(getattr(value, each.name)))
            return made
        case _:
            return value


def _hold_still(items: Collection[Any]) -> bool:
    """Whether the items never change; they are all of one type, so one tells."""
    return not any(isinstance(item, dict | list | deque | set) or _changes(item) for item in _first(items))


def _first(items: Collection[Any]) -> list[Any]:
    for item in items:
        return [item]
    return []


def _changes(value: Any) -> bool:
    parameters = getattr(value, "__dataclass_params__", None)
    return parameters is not None and not parameters.frozen
