"""Machine learners that run in the shadow of the odds of a fall, and the contest between them.

Stage: models, beside the live path: nothing that recommends imports this module, and a card
that says "promoted" is a finding for people, not a switch. Those here see the features of
`RiskPanel` and the instrument's own finished past; those of `pooled_learners` a whole pool of
series, as the incumbent did. Once a year of rows they are learnt anew, purged by the horizon. Raw
odds are set right on later rows than they were learnt from (Platt 1999), pulled towards the base
rate; a past with one class only answers with the base rate. Their settings were chosen beforehand
and not searched.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.honesty.splits import walk_forward as expanding
from when_to_invest.models.contest_scores import Contest, Rivals
from when_to_invest.models.fall_odds import THRESHOLDS, outcomes
from when_to_invest.models.learners import CHALLENGERS, Challenger, challenger_design
from when_to_invest.models.newton_logit import fit as fit_logit
from when_to_invest.models.newton_logit import probability
from when_to_invest.models.past import FIRST_ROW, Past, past_mean
from when_to_invest.models.pooled_learners import classroom, taught_odds
from when_to_invest.models.prior import EMPTY
from when_to_invest.models.skill import folds
from when_to_invest.models.walk_forward import HORIZONS, walk_forward

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, Snapshot, TimeArray

YEAR_ROWS: Final = 252
"""Rows between two lessons, counted from `FIRST_ROW` whatever period is judged."""
INCUMBENT: Final = "pooled-fall-odds"
_CALIBRATION_FOLDS: Final = 3
_PULL: Final = 1.0
"""Precision of "the base rate is right", on level and slope of the calibration."""
_FARTHEST: Final = 4.0
_LEAST_ODDS: Final = 1e-3


def contest(
    snapshot: Snapshot,
    *,
    start: date | None = None,
    end: date | None = None,
    horizon: int = 21,
    threshold: float = 0.05,
    seed: int = 0,
    pool: Pool | None = None,
) -> Contest:
    """Judge every challenger against the odds that the live code would have given.

    Args:
        snapshot: bars, from which the outcomes come too.
        start: first day judged, UTC; the first with enough history when None.
        end: last day judged; days whose horizon has not ended are left out.
        horizon: days ahead.
        threshold: fall, a ratio of the close in (0, 1).
        seed: of learners and resampling; equal seeds give equal contests.
        pool: what teaches the pooled challengers; without it only the others take part.

    Raises:
        Fault: `bad_argument`, `history_too_short`, or what `daily_bars` refuses.
    """
    _check(horizon, threshold, seed)
    field = _field(snapshot, start, end, horizon, threshold)
    odds = _odds(snapshot, field, pool, horizon=horizon, threshold=threshold, seed=seed)
    rivals = field.rivals(horizon, seed=seed, challengers=len(odds))
    return Contest(
        instrument=snapshot.instrument.id,
        horizon_days=horizon,
        threshold_ratio=threshold,
        seed=seed,
        snapshot_hash=snapshot.hash,
        **field.span(),
        incumbent=rivals.incumbent_entry(INCUMBENT),
        challengers=tuple(rivals.entry(name, (each - field.came) ** 2) for name, each in odds.items()),
        pool={} if pool is None else pool.hashes(),
    )


@dataclass(frozen=True, slots=True)
class Pool:
    """Series by name that teach the pooled challengers, and whose lessons are left out."""

    series: Mapping[str, DailyBars]
    without: tuple[str, ...] = ()

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of days and closes of each series that teaches."""
        return {
            name: hashlib.sha256(bars.day.tobytes() + bars.close.tobytes()).hexdigest()
            for name, bars in self.series.items()
            if name not in self.without
        }


@dataclass(frozen=True, slots=True)
class _Field:
    """The judged days (m,): those of the period whose horizon has ended."""

    rows: TimeArray
    days: TimeArray
    incumbent: FloatArray
    climatology: FloatArray
    came: FloatArray

    def span(self) -> dict[str, Any]:
        """Return first and last date, and how many days and falls, as a contest names them."""
        return {
            "start": _date(self.days[0]),
            "end": _date(self.days[-1]),
            "n": len(self.rows),
            "falls": int(self.came.sum()),
        }

    def rivals(self, horizon: int, *, seed: int, challengers: int) -> Rivals:
        """Return whom so many challengers are measured against."""
        return Rivals(
            incumbent=(self.incumbent - self.came) ** 2,
            climatology=(self.climatology - self.came) ** 2,
            horizon=horizon,
            seed=seed,
            challengers=challengers,
        )


def _check(horizon: int, threshold: float, seed: int) -> None:
    if horizon < 1 or not 0.0 < threshold < 1.0 or seed < 0:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"no odds of a fall of {threshold} within {horizon} days under seed {seed}",
            fix="give at least a day, a ratio between 0 and 1, and a seed of at least 0",
        )


def _odds(
    snapshot: Snapshot, field: _Field, pool: Pool | None, *, horizon: int, threshold: float, seed: int
) -> dict[str, FloatArray]:
    """Return the odds (m,) of those who learn from the instrument's own past, then of the pool's."""
    past = Past(daily_bars(snapshot), EMPTY)
    odds = {
        each.name: challenger_odds(past, field.rows, each, horizon=horizon, threshold=threshold, seed=seed)
        for each in CHALLENGERS
    }
    if pool is not None:
        taught = classroom(pool.series, horizon)
        odds |= taught_odds(past, field.rows, taught, without=pool.without, threshold=threshold, seed=seed)
    return odds


def _field(
    snapshot: Snapshot, start: date | None, end: date | None, horizon: int, threshold: float
) -> _Field:
    """Walk the live odds forward, and keep the days that can be judged."""
    import numpy as np

    horizons, thresholds = sorted({*HORIZONS, horizon}), sorted({*THRESHOLDS, threshold})
    made = walk_forward(snapshot, start=start, end=end, horizons=horizons, thresholds=thresholds)
    at, deep = horizons.index(horizon), thresholds.index(threshold)
    came, base = made.drop_came[:, at, deep], made.drop_base[:, at, deep]
    known = ~(np.isnan(came) | np.isnan(base))
    if not known.any():
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT,
            f"no horizon of {horizon} days has ended for {snapshot.instrument.id} in the period",
            fix="choose a longer period, or import more history",
        )
    odds = made.drop[:, at, deep]
    return _Field(made.row[known], made.day[known], odds[known], base[known], came[known])


def _date(day: int) -> str:
    """Return the ISO date of days since 1970 UTC."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(day)).isoformat()


def challenger_odds(
    past: Past, rows: TimeArray, challenger: Challenger, *, horizon: int, threshold: float, seed: int
) -> FloatArray:
    """Return the odds of `rows` (increasing), each from outcomes that had ended before its year.

    One thread does all the arithmetic, so that sums come out bitwise the same everywhere.
    """
    from threadpoolctl import threadpool_limits

    came = outcomes(past, horizon, (threshold,))[:, 0]
    odds = past_mean(came, horizon)
    features = challenger_design(past.panel)
    first = FIRST_ROW + YEAR_ROWS
    if first >= len(came):
        return odds[rows]
    wanted = set(((rows - first) // YEAR_ROWS).tolist())
    with threadpool_limits(limits=1):
        for number, split in enumerate(expanding(len(came), first=first, step=YEAR_ROWS, horizon=horizon)):
            if number in wanted:
                train = split.train[FIRST_ROW:]
                lesson = _learn(_Task(challenger, features, came, horizon, seed), train)
                if lesson is not None:
                    odds[split.test] = lesson.odds(features[split.test])
    return odds[rows]


@dataclass(frozen=True, slots=True)
class _Task:
    challenger: Challenger
    features: FloatArray
    came: FloatArray
    horizon: int
    seed: int


@dataclass(frozen=True, slots=True)
class _Raw:
    """A fitted classifier and the frequency in what it learnt from."""

    model: Any
    rate: float

    def lean(self, features: FloatArray) -> FloatArray:
        """Return how far its log odds lie from those of the frequency."""
        import numpy as np

        said = _logit(self.model.predict_proba(features)[:, 1])
        lean: FloatArray = np.clip(said - _logit(np.float64(self.rate)), -_FARTHEST, _FARTHEST)
        return lean


@dataclass(frozen=True, slots=True)
class _Lesson:
    raw: _Raw
    calibration: FloatArray

    def odds(self, features: FloatArray) -> FloatArray:
        return probability(_with_level(self.raw.lean(features)), self.calibration)


def _learn(task: _Task, train: TimeArray) -> _Lesson | None:
    """Fit and calibrate on rows `train` (consecutive); None when only one class is known."""
    raw = _fit(task, train)
    return None if raw is None else _Lesson(raw, _calibration(task, train, raw.rate))


def _fit(task: _Task, rows: TimeArray) -> _Raw | None:
    from sklearn.exceptions import ConvergenceWarning

    rate = float(task.came[rows].mean()) if len(rows) else 0.0
    if not 0.0 < rate < 1.0:
        return None
    model = task.challenger.make(task.seed, task.horizon)
    with warnings.catch_warnings():
        # A bounded number of steps is part of the network's definition, not a mishap.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(task.features[rows], task.came[rows].astype(int))
    return _Raw(model, rate)


def _calibration(task: _Task, train: TimeArray, rate: float) -> FloatArray:
    """Return level and slope of the log odds, from rows later than each fold learnt from.

    Overlapping days count once a horizon. A slope below zero means that nothing was learnt.
    """
    import numpy as np

    first, last = int(train[0]), int(train[-1]) + 1
    leans, truths = [], []
    for fold in folds(first + len(train) // 2, last, count=_CALIBRATION_FOLDS, horizon=task.horizon):
        rows = slice(fold.start, fold.stop)
        raw = _fit(task, np.arange(first, max(first, fold.known)))
        leans.append(np.zeros(fold.stop - fold.start) if raw is None else raw.lean(task.features[rows]))
        truths.append(task.came[rows])
    lean, centre = np.concatenate(leans), np.array([float(_logit(np.float64(rate))), 0.0])
    weight, pull = np.full(len(lean), 1.0 / task.horizon), np.full(2, _PULL)
    design = _with_level(lean)
    found = fit_logit(design, np.concatenate(truths), penalty=pull, weight=weight, centre=centre)
    return found if found[1] > 0.0 else centre


def _with_level(lean: FloatArray) -> FloatArray:
    import numpy as np

    return np.column_stack((np.ones(len(lean)), lean))


def _logit(odds: FloatArray | Any) -> Any:
    import numpy as np

    inside = np.clip(odds, _LEAST_ODDS, 1.0 - _LEAST_ODDS)
    return np.log(inside / (1.0 - inside))
