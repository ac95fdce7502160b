"""What other instruments taught, dated: pooled coefficients by the year they were known.

Stage: models. Reads one file that ships with the package, once a process. The lesson of year
Y was learnt from outcomes known by the end of Y, so only days after Y may use it; days before
the first lesson use none. `benchmarks/fit_priors.py` makes the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

GRID: Final = (1, 2, 5, 10, 21, 42, 63, 126)
"""Horizons that are fitted, in days; others are interpolated in the logarithm of the horizon."""
_FILE: Final = "pooled.json"


@dataclass(frozen=True, slots=True)
class Lesson:
    """Pooled coefficients of one year and horizon.

    `fall` (k,): logit of a fall within the horizon (`fall_odds.design`). `up` (k,): logit of a
    higher close. `har` (7,) and `gram` (7, 7): the variance regression and the mean of its
    design's outer products. `residuals` (19,): quantiles 0.05 to 0.95 of the return over the
    horizon in units of its forecast deviation.
    """

    fall: FloatArray
    up: FloatArray
    har: FloatArray
    gram: FloatArray
    residuals: FloatArray


@dataclass(frozen=True)
class Prior:
    """Lessons by year and horizon of `GRID`."""

    lessons: Mapping[int, Mapping[int, Lesson]]
    _known: dict[tuple[int, int], Lesson | None] = field(default_factory=dict, repr=False, compare=False)

    def newest(self, year: int) -> int | None:
        """Return the newest lesson's year that a day of `year` may use."""
        return max((known for known in self.lessons if known < year), default=None)

    def lesson(self, year: int, horizon: int) -> Lesson | None:
        """Return what a day of `year` may know about `horizon`; None before the first lesson."""
        key = (year, horizon)
        if key not in self._known:
            newest = self.newest(year)
            self._known[key] = None if newest is None else _interpolate(self.lessons[newest], horizon)
        return self._known[key]


EMPTY: Final = Prior({})


@cache
def shipped_prior() -> Prior:
    """Return the lessons that ship with the package."""
    text = files("when_to_invest.models").joinpath("priors", _FILE).read_text(encoding="utf-8")
    return from_document(json.loads(text))


def from_document(document: Mapping[str, Any]) -> Prior:
    """Return the lessons of a parsed file, as `to_document` writes them.

    Raises:
        KeyError: a lesson lacks one of its columns.
    """
    import numpy as np

    def lesson(columns: Mapping[str, list[float]]) -> Lesson:
        arrays = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
        side = len(arrays["har"])
        return Lesson(
            fall=arrays["fall"],
            up=arrays["up"],
            har=arrays["har"],
            gram=arrays["gram"].reshape(side, side),
            residuals=arrays["residuals"],
        )

    return Prior(
        {
            int(year): {int(horizon): lesson(columns) for horizon, columns in by_horizon.items()}
            for year, by_horizon in document["lessons"].items()
        }
    )


def to_document(prior: Prior) -> dict[str, Any]:
    """Return the lessons as plain lists, rounded to what the data can tell."""

    def plain(values: FloatArray) -> list[float]:
        return [round(float(value), 6) for value in values.ravel()]

    return {
        "lessons": {
            str(year): {
                str(horizon): {
                    "fall": plain(lesson.fall),
                    "up": plain(lesson.up),
                    "har": plain(lesson.har),
                    "gram": plain(lesson.gram),
                    "residuals": plain(lesson.residuals),
                }
                for horizon, lesson in by_horizon.items()
            }
            for year, by_horizon in prior.lessons.items()
        }
    }


def _interpolate(lessons: Mapping[int, Lesson], horizon: int) -> Lesson:
    import math

    if horizon in lessons:
        return lessons[horizon]
    below = max((each for each in GRID if each <= horizon), default=GRID[0])
    above = min((each for each in GRID if each >= horizon), default=GRID[-1])
    low, high = lessons[below], lessons[above]
    share = math.log(horizon / below) / math.log(above / below) if above > below else 0.0

    def mixed(one: FloatArray, other: FloatArray) -> FloatArray:
        return one + share * (other - one)

    return Lesson(
        fall=mixed(low.fall, high.fall),
        up=mixed(low.up, high.up),
        har=mixed(low.har, high.har),
        gram=mixed(low.gram, high.gram),
        residuals=mixed(low.residuals, high.residuals),
    )
