"""Learns the pooled, dated lessons from many instruments: the training behind `prior`.

Stage: models (pure). Never runs on the way to a recommendation. A lesson of year Y learns only
from outcomes known by the end of Y, on thresholds both absolute and in units of the
instrument's own past volatility. Instruments can be left out, to measure what the lessons are
worth on one that was never seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.features.daily import DailyBars
from when_to_invest.models import newton_logit
from when_to_invest.models.direction import up_design
from when_to_invest.models.fall_odds import design
from when_to_invest.models.past import FIRST_ROW, Past
from when_to_invest.models.prior import EMPTY, GRID, Lesson, Prior
from when_to_invest.models.volatility import LEVELS, har_design, har_target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray, TimeArray

    Mask = NDArray[np.bool_]

ABSOLUTE: Final = (0.03, 0.05, 0.10)
OWN_UNITS: Final = (0.4, 0.8, 1.2, 1.6, 2.4)
"""Thresholds in units of the past volatility over the horizon."""
_STRIDE: Final = 10
"""Every tenth day is learnt from: neighbours share almost all of their outcome."""
_FALL_PENALTY: Final = 1.0
_UP_PENALTY: Final = 30.0
_FEWEST_ROWS: Final = 2000


@dataclass(frozen=True, slots=True)
class Exercises:
    """One instrument's rows at one horizon; `known`: the year in which each outcome was known.

    `ahead`: log return over the horizon, over the root of its days.
    """

    fall: FloatArray
    fell: FloatArray
    fall_known: TimeArray
    up: FloatArray
    rose: FloatArray
    har: FloatArray
    target: FloatArray
    ahead: FloatArray
    known: TimeArray
    long_run: FloatArray
    realised: FloatArray


def exercises(bars: DailyBars, horizon: int) -> Exercises | None:
    """Return the instrument's rows to learn from; None when its history is too short.

    Args:
        bars: closed days.
        horizon: days ahead, at least 1.
    """
    import numpy as np

    past = Past(bars, EMPTY)
    rows = np.arange(FIRST_ROW, len(bars) - horizon, _STRIDE)
    if not len(rows):
        return None
    worst, panel = np.log1p(past.worst(horizon)[rows]), past.panel
    deviation = np.exp(panel.volatility[rows] + panel.slopes[rows, -1]) * horizon**0.5
    falls = [np.full(len(rows), -np.log1p(-each)) for each in ABSOLUTE]
    falls += [each * deviation for each in OWN_UNITS]
    known = past.year[rows + horizon]
    return Exercises(
        fall=np.vstack([design(panel, rows, np.log(fall), horizon) for fall in falls]),
        fell=np.concatenate([(worst <= -fall).astype(float) for fall in falls]),
        fall_known=np.tile(known, len(falls)),
        up=up_design(panel, rows),
        rose=(past.ahead(horizon)[rows] > 0.0).astype(float),
        har=har_design(panel, rows),
        target=har_target(panel, horizon)[rows],
        ahead=past.ahead(horizon)[rows] / horizon**0.5,
        known=known,
        long_run=panel.long_run[rows],
        realised=past.realised(horizon)[rows],
    )


Lessons = Mapping[int, Mapping[str, Exercises]]
"""Exercises by horizon and instrument."""


def prepare(markets: Mapping[str, DailyBars], horizons: Sequence[int] = GRID) -> Lessons:
    """Return the exercises of all instruments that are long enough.

    Args:
        markets: closed days by instrument.
        horizons: days ahead, each at least 1.
    """
    return {
        horizon: {
            name: found for name, bars in markets.items() if (found := exercises(bars, horizon)) is not None
        }
        for horizon in horizons
    }


def learn(lessons: Lessons, *, years: Sequence[int], without: Collection[str] = ()) -> Prior:
    """Return one lesson a year and horizon, from every instrument but those `without`.

    Years with fewer than `_FEWEST_ROWS` examples at any horizon get none.

    Args:
        lessons: what `prepare` returned.
        years: the years by whose end an outcome must have been known.
        without: instruments that teach nothing.
    """
    found: dict[int, dict[int, Lesson]] = {}
    for year in years:
        by_horizon = {
            horizon: _lesson([each for name, each in known.items() if name not in without], year)
            for horizon, known in lessons.items()
        }
        complete = {horizon: lesson for horizon, lesson in by_horizon.items() if lesson is not None}
        if len(complete) == len(by_horizon):
            found[year] = complete
    return Prior(found)


def _lesson(pupils: Sequence[Exercises], year: int) -> Lesson | None:
    import numpy as np

    falls = [each.fall_known <= year for each in pupils]
    days = [each.known <= year for each in pupils]
    if sum(int(mask.sum()) for mask in falls) < _FEWEST_ROWS:
        return None

    def chosen(column: str, masks: Sequence[Mask]) -> FloatArray:
        return np.concatenate([getattr(each, column)[mask] for each, mask in zip(pupils, masks, strict=True)])

    har, target = chosen("har", days), chosen("target", days)
    slopes: FloatArray = np.linalg.solve(har.T @ har + np.eye(har.shape[1]), har.T @ target).astype(
        np.float64
    )
    return Lesson(
        fall=newton_logit.fit(
            chosen("fall", falls),
            chosen("fell", falls),
            penalty=_penalty(_FALL_PENALTY, pupils[0].fall),
        ),
        up=newton_logit.fit(
            chosen("up", days), chosen("rose", days), penalty=_penalty(_UP_PENALTY, pupils[0].up)
        ),
        har=slopes,
        gram=har.T @ har / len(har),
        residuals=_residuals(pupils, days, slopes),
    )


def _penalty(strength: float, rows: FloatArray) -> FloatArray:
    """Return the diagonal penalty: all but the intercept."""
    import numpy as np

    penalty = np.full(rows.shape[1], strength)
    penalty[0] = 1e-6
    return penalty


def _residuals(pupils: Sequence[Exercises], days: Sequence[Mask], slopes: FloatArray) -> FloatArray:
    """Return quantiles of returns in units of forecast deviations, each instrument at its own scale."""
    import numpy as np

    found = []
    for each, mask in zip(pupils, days, strict=True):
        forecast = np.exp(each.har[mask] @ slopes + each.long_run[mask])
        if not len(forecast):
            continue
        scale = each.realised[mask].sum() / forecast.sum()
        found.append(each.ahead[mask] / np.sqrt(forecast * scale))
    quantiles: FloatArray = np.quantile(np.concatenate(found), LEVELS)
    return quantiles
