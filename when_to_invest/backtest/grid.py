"""A grid of parameters: named values, and every combination of them.

Stage: backtest (pure). Text is read with decimal arithmetic, so that 0.1:0.3:0.1 has three values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod
from typing import Final

from when_to_invest.errors import ErrorCode, Fault

MOST_CONFIGURATIONS: Final = 5_000
_NUMBER: Final = r"-?\d{1,9}(?:\.\d{1,9})?"
_RANGE: Final = re.compile(rf"({_NUMBER}):({_NUMBER}):({_NUMBER})")
_LIST: Final = re.compile(rf"{_NUMBER}(?:,{_NUMBER})*")
_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter's name and the values to try, in the order given."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One combination: (name, value) in the order of the axes. Whole numbers are `int`."""

    settings: tuple[tuple[str, float], ...]

    @property
    def parameters(self) -> dict[str, float]:
        """Return the settings by name."""
        return dict(self.settings)

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.settings)


def parse_axis(text: str) -> Axis:
    """Read `name=first:last:step` (the last included) or `name=one,two,three`.

    Raises:
        Fault: `bad_argument` for anything else, a step that leads nowhere, or too many values.
    """
    name, _, given = text.partition("=")
    found = _RANGE.fullmatch(given)
    if _NAME.fullmatch(name) and found:
        return Axis(name, _steps(*(Decimal(part) for part in found.groups()), text=text))
    if _NAME.fullmatch(name) and _LIST.fullmatch(given):
        return Axis(name, tuple(dict.fromkeys(_plain(Decimal(part)) for part in given.split(","))))
    raise _unreadable(text)


def configurations(axes: Sequence[Axis]) -> tuple[Configuration, ...]:
    """Return every combination of the axes' values, the last axis changing fastest.

    Raises:
        Fault: `bad_argument` without axes, with one named twice, or above 5,000 combinations.
    """
    names = [axis.name for axis in axes]
    count = prod(len(axis.values) for axis in axes)
    if not axes or len(set(names)) != len(names) or count > MOST_CONFIGURATIONS:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"a grid over {', '.join(names) or 'nothing'} has {count if axes else 0} combinations",
            fix=f"name each parameter once, and try at most {MOST_CONFIGURATIONS:,} combinations",
        )
    return tuple(
        Configuration(tuple(zip(names, values, strict=True)))
        for values in product(*(axis.values for axis in axes))
    )


def _steps(first: Decimal, last: Decimal, step: Decimal, *, text: str) -> tuple[float, ...]:
    count = int((last - first) / step) + 1 if step > 0 and last >= first else 0
    if not 0 < count <= MOST_CONFIGURATIONS:
        raise _unreadable(text)
    return tuple(_plain(first + place * step) for place in range(count))


def _plain(number: Decimal) -> float:
    return int(number) if number == number.to_integral_value() else float(number)


def _unreadable(text: str) -> Fault:
    return Fault(
        ErrorCode.BAD_ARGUMENT,
        f"the grid {text[:60]!r} cannot be read",
        fix=f"give it as slow=50:250:25 or slow=100,200, with at most {MOST_CONFIGURATIONS:,} values",
    )
