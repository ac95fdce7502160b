"""Enumerations whose members a fold looks up all the time."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

Kind = TypeVar("Kind", bound=Enum)


def at_hand(kind: type[Kind]) -> type[Kind]:
    """Let the members of `kind` be plain attributes of it, as Python 3.12 has them.

    In Python 3.11 each stands behind a property, and to name one takes twenty times as long.
    """
    for name, member in kind.__members__.items():
        type.__setattr__(kind, name, member)
    return kind
