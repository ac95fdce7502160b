"""One instrument's evaluation: every forecast and rule of the product, walked forward and scored.

Stage: evaluation (pure), from a snapshot to an `Evaluation`. What cannot be judged is None
with a note; only a period of which nothing at all can be said is a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import Fault
from when_to_invest.evaluation.basis import answered, check_known, check_period, is_course
from when_to_invest.evaluation.deployment import Outcomes, deployment_score, no_outcomes, rolling_outcomes
from when_to_invest.evaluation.forecast_scores import (
    INTERVAL_LEVELS,
    KEY_HORIZON,
    drop_scores,
    interval_scores,
    unknown_interval,
    up_score,
    variance_score,
)
from when_to_invest.evaluation.monthly import is_monthly, months_of_days, months_of_months
from when_to_invest.evaluation.overlay import overlay_score, unknown_overlay
from when_to_invest.evaluation.positions import Courses, daily_courses, monthly_courses
from when_to_invest.evaluation.report import (
    UNKNOWN_INTERVAL,
    DropScore,
    Evaluation,
    UpScore,
    VarianceScore,
)
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.models.walk_forward import FEWEST_DAYS, Forecasts, walk_forward

if TYPE_CHECKING:
    from when_to_invest.market import Snapshot

HORIZONS: Final = (5, 21, 63)
"""Days ahead for which odds of a fall are judged."""
THRESHOLDS: Final = (0.03, 0.05, 0.10)
LEARNING_YEARS: Final = 5
"""Judging begins so long after the first bar ..."""
LEARNING_SHARE: Final = 0.4
"""... or after this share of a shorter history."""
_MONTHLY_FIRST: Final = 13
_EPOCH: Final = date(1970, 1, 1).toordinal()
_NEXT_CLOSE: Final = "overlay: no opening prices are known, so orders fill at the close of the next bar"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """The evaluation with what it was computed from, for pictures and for the curious."""

    evaluation: Evaluation
    forecasts: Forecasts | None
    courses: Courses | None
    outcomes: Outcomes


def evaluate(
    snapshot: Snapshot,
    *,
    start: date | None = None,
    end: date | None = None,
    progress: Progress = lambda step: None,  # noqa: ARG005 - by default nobody listens
) -> Judged:
    """Judge `snapshot`'s instrument from `start` to `end`.

    Args:
        snapshot: one instrument's bars; outcomes come from here too.
        start: first day judged; by default five years after the first bar, or after two fifths
            of a shorter history.
        end: last day judged; by default the newest.
        progress: told what is being done, in words.

    Raises:
        Fault: `bad_argument` for a period without bars, `history_too_short` when nothing at all can
            be judged, or what `daily_bars` refuses, such as `corrupt_data`.
    """
    known = snapshot.bars.opened_at(0).date(), snapshot.bars.opened_at(-1).date()
    check_period(snapshot.instrument.id, start=start, end=end, known=known)
    judge = _judge_months if is_monthly(snapshot) else _judge_days
    found = judge(snapshot, start=start, end=end, progress=progress)
    check_known(found.evaluation)
    return found


def _judge_days(snapshot: Snapshot, *, start: date | None, end: date | None, progress: Progress) -> Judged:
    """Judge everything, from days or what finer bars make of them."""
    bars = daily_bars(snapshot)
    first = start or _default_start(bars)
    notes: list[str] = []
    progress("walking the forecasts forward")
    made = _forecasts(snapshot, first, end, notes)
    if not bars.has_range:
        notes.append(_NEXT_CLOSE)
    is_alive = is_course(bars, first, end, notes)
    progress("holding the sizing as a position")
    courses = _daily_courses(snapshot, bars, made, notes) if made is not None and is_alive else None
    progress("deploying a year's money from every month")
    outcomes = _outcomes(bars, first, end) if is_alive else no_outcomes()
    progress("scoring")
    made = answered(made, bars, notes) if made is not None else None
    span = (first, end or _day(bars, -1))
    evaluation = _evaluation(
        snapshot.instrument.id, span, notes, made=made, courses=courses, outcomes=outcomes
    )
    return Judged(evaluation, made, courses, outcomes)


def _forecasts(snapshot: Snapshot, first: date, end: date | None, notes: list[str]) -> Forecasts | None:
    try:
        return walk_forward(snapshot, start=first, end=end, horizons=HORIZONS, thresholds=THRESHOLDS)
    except Fault as fault:
        notes.append(f"forecasts, overlay: {fault.message}")
        return None


def _judge_months(snapshot: Snapshot, *, start: date | None, end: date | None, progress: Progress) -> Judged:
    """Judge what months allow: the position and the deployment, no odds over days."""
    notes = ["variance, p_drop, interval, p_up: monthly bars say nothing about days", _NEXT_CLOSE]
    months, count = months_of_months(snapshot), len(snapshot.bars)
    first = max(_MONTHLY_FIRST, months.first_from(start) if start else 0)
    stop = min(count, months.first_after(end) if end else count)
    progress("holding the sizing as a position")
    courses = monthly_courses(snapshot, first=first - 1, stop=stop) if stop > first + 1 else None
    progress("deploying a year's money from every month")
    outcomes = rolling_outcomes(months, first=first, last=stop)
    began = months.began(min(first, count - 1))
    span = (began, end or snapshot.data_as_of.date() - timedelta(days=1))
    evaluation = _evaluation(
        snapshot.instrument.id, span, notes, made=None, courses=courses, outcomes=outcomes
    )
    return Judged(evaluation, None, courses, outcomes)


def _daily_courses(snapshot: Snapshot, bars: DailyBars, made: Forecasts, notes: list[str]) -> Courses | None:
    try:
        return daily_courses(snapshot, bars, made, horizon=KEY_HORIZON)
    except Fault as fault:
        notes.append(f"overlay: {fault.message}")
        return None


def _outcomes(bars: DailyBars, first: date, end: date | None) -> Outcomes:
    months = months_of_days(bars)
    last = months.first_after(end) - 1 if end else len(months.month)
    return rolling_outcomes(months, first=months.first_from(first), last=last)


def _evaluation(
    instrument: str,
    span: tuple[date, date],
    notes: list[str],
    *,
    made: Forecasts | None,
    courses: Courses | None,
    outcomes: Outcomes,
) -> Evaluation:
    """Score everything that there is to score, and say what there is not."""
    overlay = unknown_overlay(0) if courses is None else overlay_score(courses, notes)
    return Evaluation(
        instrument=instrument,
        start=span[0].isoformat(),
        end=span[1].isoformat(),
        n=overlay.n if made is None else len(made),
        variance=_NO_VARIANCE if made is None else variance_score(made, notes),
        p_drop=_NO_DROPS if made is None else drop_scores(made, notes),
        interval=_NO_INTERVALS if made is None else interval_scores(made, notes),
        p_up=_NO_UP if made is None else up_score(made, notes),
        overlay=overlay,
        deployment=deployment_score(outcomes, notes),
        notes=tuple(notes),
    )


def _default_start(bars: DailyBars) -> date:
    learning = max(FEWEST_DAYS, int(len(bars) * LEARNING_SHARE))
    years = timedelta(days=LEARNING_YEARS * 365)
    return min(_day(bars, 0) + years, _day(bars, min(learning, len(bars) - 1)))


def _day(bars: DailyBars, row: int) -> date:
    return date.fromordinal(int(bars.day[row]) + _EPOCH)


_NO_VARIANCE: Final = VarianceScore(qlike_skill_mean=None, qlike_vs_ewma=None)
_NO_UP: Final = UpScore(brier_skill=None, ci90=UNKNOWN_INTERVAL, has_skill=False, n=0)
_NO_INTERVALS: Final = tuple(unknown_interval(level, 0) for level in INTERVAL_LEVELS)
_NO_DROPS: Final = tuple(
    DropScore(
        threshold_ratio=threshold,
        horizon_days=horizon,
        brier_skill=None,
        ci90=UNKNOWN_INTERVAL,
        ece=None,
        n=0,
        falls=0,
    )
    for horizon in HORIZONS
    for threshold in THRESHOLDS
)
