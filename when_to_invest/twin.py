"""A twin of the account book: what it would be after events that are not recorded yet.

Stage: between deciding and recording. Nothing done to the twin reaches the original.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import fields
from typing import Any, Final

from when_to_invest.portfolio import AccountBook

_COLLECTIONS: Final = (list, deque, set)
_copiers: Final[dict[type[Any], Callable[[Any], Any] | None]] = {}


def twin_of(book: AccountBook) -> AccountBook:
    """Return a book equal to `book` that shares nothing with it that can change."""
    twin: AccountBook = _twin(book)
    return twin


def _twin(value: Any) -> Any:
    copied = _copier_of((value,))
    return value if copied is None else copied(value)


def _copier(kind: type[Any]) -> Callable[[Any], Any] | None:
    """Return what copies a value of that type with all in it that can change; none when nothing can."""
    if issubclass(kind, dict):
        return _twin_of_dict
    if issubclass(kind, _COLLECTIONS):
        return _twin_of_row
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is None or parameters.frozen:
        return None
    names = tuple(each.name for each in fields(kind))
    made_of = _empty if "__slots__" in vars(kind) else copy

    def twin_of_fields(value: Any) -> Any:
        made = made_of(value)
        for name in names:
            setattr(made, name, _twin(getattr(value, name)))
        return made

    return twin_of_fields


def _empty(value: Any) -> Any:
    """Return one of the same kind whose fields are still to be set: all that it has."""
    return object.__new__(type(value))


def _twin_of_dict(value: Any) -> Any:
    made = value.copy()
    if (copied := _copier_of(value.values())) is not None:
        for key, item in value.items():
            made[key] = copied(item)
    return made


def _twin_of_row(value: Any) -> Any:
    copied = _copier_of(value)
    return value.copy() if copied is None else type(value)(map(copied, value))


def _copier_of(items: Iterable[Any]) -> Callable[[Any], Any] | None:
    """Return what copies each of some items; they are all of one type, so one tells."""
    for item in items:
        kind = type(item)
        if kind not in _copiers:
            _copiers[kind] = _copier(kind)
        return _copiers[kind]
    return None
