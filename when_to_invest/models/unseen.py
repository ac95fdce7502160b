"""Incumbent and challengers on series that taught neither of them, nor did any of their family.

Stage: models, beside the live path. Both learn from the same other series, on the same dates; the
incumbent's odds are made by the code that recommends. Instruments share their calendar days, so
the pooled interval resamples days, each with everything that happened on it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.canonical import digest
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.models.contest_scores import Contest, Entry, Rivals
from when_to_invest.models.fall_odds import THRESHOLDS
from when_to_invest.models.past import Past
from when_to_invest.models.pooled_learners import (
    POOLED_CHALLENGERS,
    classroom,
    learn_lessons,
    one_thread,
    pooled_challenger_odds,
)
from when_to_invest.models.pooling import learn, prepare
from when_to_invest.models.prior import EMPTY, Prior
from when_to_invest.models.walk_forward import Forecasts, walk_forward

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray, Snapshot, TimeArray

INCUMBENT: Final = "pooled-fall-odds"
FEWEST_OUTCOMES: Final = 250
_WEEK: Final = 7 / 5
"""Days of the joint calendar, weekends included, for each day of an exchange."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of everybody: a fall of `threshold` (a ratio) within `horizon` days."""

    horizon: int = 21
    threshold: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        """Check that it can be answered."""
        if self.horizon < 1 or not 0.0 < self.threshold < 1.0 or self.seed < 0:
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                f"no odds of a fall of {self.threshold} within {self.horizon} days under seed {self.seed}",
                fix="give at least a day, a ratio between 0 and 1, and a seed of at least 0",
            )


@dataclass(frozen=True, slots=True)
class Family:
    """Instruments that are `judged` by models which none of `without` taught; these include them."""

    judged: tuple[str, ...]
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Losses:
    """Squared errors of one instrument's judged days: `day` (m,) since 1970, the others (m,) each."""

    day: TimeArray
    incumbent: FloatArray
    climatology: FloatArray
    challengers: tuple[FloatArray, ...]
    falls: int
    data_hash: str


def unseen_losses(snapshots: Mapping[str, Snapshot], family: Family, question: Question) -> dict[str, Losses]:
    """Return the losses of each judged instrument that has enough outcomes.

    Args:
        snapshots: the whole pool, the family included.
        family: whom to judge, and what is left out.
        question: what is judged.

    Raises:
        Fault: what `daily_bars` and `walk_forward` refuse.
    """
    pool = {name: daily_bars(found) for name, found in snapshots.items()}
    years, without = _years(snapshots, family.judged), family.without
    prior = learn(prepare(pool, (question.horizon,)), years=years, without=without)
    taught = classroom(pool, question.horizon)
    with one_thread():
        lessons = tuple(
            learn_lessons(each, taught, years=years, without=without, seed=question.seed)
            for each in POOLED_CHALLENGERS
        )
        found = {name: _losses(snapshots[name], prior, lessons, question) for name in family.judged}
    return {name: each for name, each in found.items() if each is not None}


def _years(snapshots: Mapping[str, Snapshot], judged: Collection[str]) -> range:
    """Return the years whose lessons some day of `judged` may use."""
    spans = [snapshots[name].bars for name in judged]
    first = min(each.opened_at(0).year for each in spans)
    last = max(each.opened_at(-1).year for each in spans)
    return range(first - 1, last)


def _losses(
    snapshot: Snapshot, prior: Prior, lessons: tuple[dict[int, object], ...], question: Question
) -> Losses | None:
    """Return the losses on every day whose horizon has ended; None where they cannot be judged."""
    import numpy as np

    horizon, threshold = question.horizon, question.threshold
    thresholds = sorted({*THRESHOLDS, threshold})
    made = walk_forward(snapshot, horizons=(horizon,), thresholds=thresholds, prior=prior)
    deep = thresholds.index(threshold)
    came, base = made.drop_came[:, 0, deep], made.drop_base[:, 0, deep]
    is_known = ~(np.isnan(came) | np.isnan(base)) & _taught(made, prior)
    rows, came, base = made.row[is_known], came[is_known], base[is_known]
    # Where nothing ever fell, and the base rate knew it, there is nothing to be better at.
    if len(rows) < FEWEST_OUTCOMES or not ((base - came) ** 2).any():
        return None
    past = Past(daily_bars(snapshot), EMPTY)
    odds = [
        pooled_challenger_odds(past, rows, each, horizon=horizon, threshold=threshold) for each in lessons
    ]
    return Losses(
        day=made.day[is_known],
        incumbent=(made.drop[is_known, 0, deep] - came) ** 2,
        climatology=(base - came) ** 2,
        challengers=tuple((each - came) ** 2 for each in odds),
        falls=int(came.sum()),
        data_hash=snapshot.data_hash,
    )


def _taught(made: Forecasts, prior: Prior) -> NDArray[np.bool_]:
    """Return at which days there was anything to know: before, all answer with the base rate."""
    import numpy as np

    years = made.day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return np.array([prior.newest(int(year)) is not None for year in years], dtype=np.bool_)


def contest_of(
    losses: Mapping[str, Losses], question: Question, *, name: str, pool: Mapping[str, str]
) -> Contest:
    """Return the contest on one instrument, or on many whose skills are then averaged.

    Each day's loss is what its instruments add to the mean of their relative losses, so that a
    coin counts as much as an index. `pool`: hashes of the series that taught, by name.

    Raises:
        Fault: `history_too_short` without any losses.
    """
    import numpy as np

    if not losses:
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT, "no instrument has enough outcomes", fix="import longer histories"
        )
    calendar = np.unique(np.concatenate([each.day for each in losses.values()]))
    several = len(losses) > 1
    rivals = Rivals(
        incumbent=_joint(calendar, losses, {key: each.incumbent for key, each in losses.items()}),
        climatology=_joint(calendar, losses, {key: each.climatology for key, each in losses.items()}),
        horizon=math.ceil(question.horizon * _WEEK) if several else question.horizon,
        seed=question.seed,
        challengers=len(POOLED_CHALLENGERS),
    )
    return Contest(
        instrument=name,
        start=str(calendar[0].astype("datetime64[D]")),
        end=str(calendar[-1].astype("datetime64[D]")),
        horizon_days=question.horizon,
        threshold_ratio=question.threshold,
        seed=question.seed,
        n=sum(len(each.day) for each in losses.values()),
        falls=sum(each.falls for each in losses.values()),
        snapshot_hash=digest({key: each.data_hash for key, each in losses.items()}),
        incumbent=rivals.incumbent_entry(INCUMBENT),
        challengers=_entries(rivals, calendar, losses),
        pool=dict(pool),
    )


def _entries(rivals: Rivals, calendar: TimeArray, losses: Mapping[str, Losses]) -> tuple[Entry, ...]:
    entries = []
    for place, each in enumerate(POOLED_CHALLENGERS):
        theirs = {key: found.challengers[place] for key, found in losses.items()}
        entries.append(rivals.entry(each.name, _joint(calendar, losses, theirs)))
    return tuple(entries)


def _joint(
    calendar: TimeArray, losses: Mapping[str, Losses], columns: Mapping[str, FloatArray]
) -> FloatArray:
    """Return a loss a calendar day whose mean is the mean over instruments of loss / climatology's."""
    import numpy as np

    joint = np.zeros(len(calendar))
    for name, column in columns.items():
        share = len(calendar) / (len(columns) * losses[name].climatology.sum())
        np.add.at(joint, np.searchsorted(calendar, losses[name].day), column * share)
    return joint


def kin_of(name: str, pool: Mapping[str, DailyBars]) -> tuple[str, ...]:
    """Return the instruments whose days move with `name`'s, itself included, in the pool's order.

    Kin correlate by at least 0.9 over at least 250 shared days.
    """
    import numpy as np

    own, found = pool[name], []
    for other, theirs in pool.items():
        _, ours_at, theirs_at = np.intersect1d(own.day, theirs.day, return_indices=True)
        if other == name:
            found.append(other)
        elif len(ours_at) > _SHARED_DAYS:
            ours, others = np.diff(np.log(own.close[ours_at])), np.diff(np.log(theirs.close[theirs_at]))
            if float(np.corrcoef(ours, others)[0, 1]) >= _KIN:
                found.append(other)
    return tuple(found)


_SHARED_DAYS: Final = 250
_KIN: Final = 0.9
