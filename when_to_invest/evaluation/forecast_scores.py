"""Scores of walk-forward forecasts: variance, odds of falls, ranges, direction.

Stage: evaluation (pure). Days whose horizon was not over are left out; every interval comes
from a circular block bootstrap with blocks of three horizons. Fewer than 30 outcomes, or a
baseline that was never wrong, give None with a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.evaluation.report import (
    FEWEST,
    FEWEST_BLOCKS,
    UNKNOWN_INTERVAL,
    DropScore,
    Interval90,
    IntervalScore,
    UpScore,
    VarianceScore,
    known,
)
from when_to_invest.honesty import scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray
    from when_to_invest.models.walk_forward import Forecasts

KEY_HORIZON: Final = 21
"""Days ahead of variance, range and direction."""
INTERVAL_LEVELS: Final = (0.5, 0.8, 0.9)
_YEARS: Final = 2


def variance_score(made: Forecasts, notes: list[str]) -> VarianceScore:
    """Return the QLIKE skills of the 21-day variance forecast."""
    at = made.horizons.index(KEY_HORIZON)
    came = made.variance_came[:, at]
    guesses = (made.variance, made.variance_mean, made.variance_ewma)
    columns = (*(guess[:, at] for guess in guesses), came)
    rows = _finite(*columns) & (came > 0.0)
    if rows.sum() < FEWEST:
        notes.append(f"variance: {int(rows.sum())} outcomes of {KEY_HORIZON} days are too few")
        return VarianceScore(qlike_skill_mean=None, qlike_vs_ewma=None)
    ours, mean, ewma = (scores.qlike_losses(column[rows], came[rows]) for column in columns[:3])
    return VarianceScore(
        qlike_skill_mean=known(scores.skill(ours, mean)), qlike_vs_ewma=known(scores.skill(ours, ewma))
    )


def drop_scores(made: Forecasts, notes: list[str]) -> tuple[DropScore, ...]:
    """Return one score for each threshold and horizon, short horizons first."""
    return tuple(
        _drop_score(made, at, column, notes)
        for at in range(len(made.horizons))
        for column in range(len(made.thresholds))
    )


def _drop_score(made: Forecasts, at: int, column: int, notes: list[str]) -> DropScore:
    threshold, horizon = made.thresholds[column], made.horizons[at]
    odds, base, came = (each[:, at, column] for each in (made.drop, made.drop_base, made.drop_came))
    rows = _finite(odds, base, came)
    count, falls = int(rows.sum()), int(came[rows].sum())
    skill, interval, ece = None, UNKNOWN_INTERVAL, None
    if count < FEWEST:
        notes.append(f"p_drop {threshold:.2f} in {horizon} d: {count} outcomes are too few")
    else:
        skill, interval = _brier(odds[rows], base[rows], came[rows], horizon=horizon)
        ece = scores.expected_calibration_error(odds[rows], came[rows])
    if count >= FEWEST and interval == UNKNOWN_INTERVAL:
        notes.append(
            f"p_drop {threshold:.2f} in {horizon} d: {count} outcomes overlap too much for an interval"
        )
    if count >= FEWEST and falls in (0, count):
        notes.append(f"p_drop {threshold:.2f} in {horizon} d: every outcome was the same, no skill to show")
        skill, interval = None, UNKNOWN_INTERVAL
    return DropScore(
        threshold_ratio=threshold,
        horizon_days=horizon,
        brier_skill=skill,
        ci90=interval,
        ece=ece,
        n=count,
        falls=falls,
    )


def _brier(
    odds: FloatArray, base: FloatArray, came: FloatArray, *, horizon: int
) -> tuple[float | None, Interval90]:
    loss, base_loss = (odds - came) ** 2, (base - came) ** 2
    return known(scores.skill(loss, base_loss)), _skill_interval(loss, base_loss, horizon=horizon)


def _skill_interval(loss: FloatArray, base_loss: FloatArray, *, horizon: int) -> Interval90:
    block = scores.block_of(horizon)
    if len(loss) < FEWEST_BLOCKS * block:
        return UNKNOWN_INTERVAL
    found = scores.skill_ci(loss, base_loss, block=block)
    return known(found.low), known(found.high)


def up_score(made: Forecasts, notes: list[str]) -> UpScore:
    """Return the score of direction over 21 days; skill when the 90 % interval lies above 0."""
    at = made.horizons.index(KEY_HORIZON)
    odds, base, came = made.up[:, at], made.up_base[:, at], made.up_came[:, at]
    rows = _finite(odds, base, came)
    count = int(rows.sum())
    if count < FEWEST:
        notes.append(f"p_up: {count} outcomes of {KEY_HORIZON} days are too few")
        return UpScore(brier_skill=None, ci90=UNKNOWN_INTERVAL, has_skill=False, n=count)
    skill, interval = _brier(odds[rows], base[rows], came[rows], horizon=KEY_HORIZON)
    low = interval[0]
    return UpScore(brier_skill=skill, ci90=interval, has_skill=low is not None and low > 0.0, n=count)


def interval_scores(made: Forecasts, notes: list[str]) -> tuple[IntervalScore, ...]:
    """Return one score for each level whose two edges were forecast."""
    at = made.horizons.index(KEY_HORIZON)
    came = made.return_came[:, at]
    rows = _finite(made.quantiles[:, at].sum(axis=1), made.quantile_base[:, at].sum(axis=1), came)
    if rows.sum() < FEWEST:
        notes.append(f"interval: {int(rows.sum())} outcomes of {KEY_HORIZON} days are too few")
        return tuple(unknown_interval(level, int(rows.sum())) for level in INTERVAL_LEVELS)
    window = _YEARS * made.days_per_year
    if rows.sum() < window:
        notes.append(f"worst_2y_coverage: {int(rows.sum())} outcomes do not fill two years")
    return tuple(
        _interval_score(level, made.quantiles[rows, at], made.quantile_base[rows, at], came[rows], made)
        for level in INTERVAL_LEVELS
    )


def _interval_score(
    level: float, given: FloatArray, base: FloatArray, came: FloatArray, made: Forecasts
) -> IntervalScore:
    window = _YEARS * made.days_per_year
    low, high = _edges(level, made.levels)
    edges = given[:, low], given[:, high]
    ours, theirs = (
        _pinball(each, came, made.levels, low) + _pinball(each, came, made.levels, high)
        for each in (given, base)
    )
    has_window = len(came) >= window
    return IntervalScore(
        level=level,
        coverage=scores.coverage(*edges, came),
        worst_2y_coverage=scores.rolling_worst_coverage(*edges, came, window=window) if has_window else None,
        pinball_skill=known(scores.skill(ours, theirs)),
        ci90=_skill_interval(ours, theirs, horizon=KEY_HORIZON),
        n=len(came),
    )


def _pinball(quantiles: FloatArray, came: FloatArray, levels: Sequence[float], at: int) -> FloatArray:
    return scores.pinball_losses(quantiles[:, at], came, level=levels[at])


def _edges(level: float, levels: Sequence[float]) -> tuple[int, int]:
    """Return the places of the two quantiles that bound the central `level`."""
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    low, high = (min(range(len(levels)), key=lambda at: abs(levels[at] - tail)) for tail in tails)
    return low, high


def unknown_interval(level: float, count: int) -> IntervalScore:
    """Return a score without figures."""
    return IntervalScore(
        level=level,
        coverage=None,
        worst_2y_coverage=None,
        pinball_skill=None,
        ci90=UNKNOWN_INTERVAL,
        n=count,
    )


def _finite(*columns: FloatArray) -> NDArray[np.bool_]:
    import numpy as np

    rows: NDArray[np.bool_] = np.logical_and.reduce([np.isfinite(column) for column in columns])
    return rows
