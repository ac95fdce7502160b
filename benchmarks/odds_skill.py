"""Walk-forward skill on the recorded indices 2004-2018, and on instruments left out of training.

Forecasts come from `walk_forward`, the code that recommends. The recorded indices are judged
with the lessons that ship (dated: each day uses what was known the year before). "Unseen" rows
learn the lessons anew without the instrument and its family; they need WHEN_TO_INVEST_DATA.
Some hundred variants were compared on years before 2004 and on the left-out instruments, but
the indices' test years were printed beside many of them and looked at, so all figures flatter a
little: the left-out instruments were never learnt from, yet the design was chosen with them in view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.markets import COINS, FUNDS, RECORDED, family, load_snapshots
from benchmarks.row import Figure, Row, against, within
from home.paths import Home
from when_to_invest.features.daily import daily_bars
from when_to_invest.models.pooling import learn, prepare
from when_to_invest.models.walk_forward import Forecasts, walk_forward

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, Snapshot

REPEATS: Final = 1000
BINS: Final = 10
HORIZONS: Final = (5, 21)
UNSEEN: Final = (*FUNDS, "WTI", *COINS)
_BINARY_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Score:
    """Brier skill against the base rate, its 90 % interval, and the calibration error."""

    skill: float
    low: float
    high: float
    ece: float


def brier(odds: FloatArray, base: FloatArray, came: FloatArray, *, horizon: int) -> Score:
    """Return the score; its interval comes from a circular block bootstrap of three horizons."""
    known = ~(np.isnan(odds) | np.isnan(base) | np.isnan(came))
    odds, base, came = odds[known], base[known], came[known]
    loss, base_loss = (odds - came) ** 2, (base - came) ** 2
    count, length = len(loss), 3 * horizon
    starts = np.random.default_rng(_BINARY_SEED).integers(0, count, size=(REPEATS, -(-count // length)))
    rows = (starts[:, :, None] + np.arange(length)) % count
    skills = 1.0 - loss[rows].sum(axis=(1, 2)) / base_loss[rows].sum(axis=(1, 2))
    low, high = (float(edge) for edge in np.quantile(skills, (0.05, 0.95)))
    bins = np.minimum((odds * BINS).astype(int), BINS - 1)
    gaps = [abs(float((odds - came)[bins == each].sum())) for each in range(BINS)]
    return Score(1.0 - float(loss.sum() / base_loss.sum()), low, high, sum(gaps) / count)


def fall(found: Forecasts, horizon: int, threshold: float = 0.05) -> Score:
    """Judge the odds of a fall."""
    at, deep = found.horizons.index(horizon), found.thresholds.index(threshold)
    columns = (column[:, at, deep] for column in (found.drop, found.drop_base, found.drop_came))
    return brier(*columns, horizon=horizon)


def up(found: Forecasts, horizon: int) -> Score:
    """Judge p_up against its own base rate."""
    at = found.horizons.index(horizon)
    return brier(found.up[:, at], found.up_base[:, at], found.up_came[:, at], horizon=horizon)


def qlike(found: Forecasts, horizon: int) -> dict[str, float]:
    """Return the QLIKE loss (Patton 2011) of the forecast, of EWMA, and of the past mean."""
    at = found.horizons.index(horizon)
    came = found.variance_came[:, at]
    known = ~np.isnan(came) & (came > 0.0)
    guesses = {"ours": found.variance, "ewma": found.variance_ewma, "mean": found.variance_mean}
    ratios = {name: came[known] / guess[known, at] for name, guess in guesses.items()}
    return {name: float((ratio - np.log(ratio) - 1.0).mean()) for name, ratio in ratios.items()}


@dataclass(frozen=True, slots=True)
class RangeScore:
    """Coverage of the 90 % range, in all and in the worst two years, and its pinball skill."""

    coverage: float
    worst: float
    pinball: float


def wide_range(found: Forecasts, horizon: int) -> RangeScore:
    """Judge the 90 % range."""
    at = found.horizons.index(horizon)
    came, ends, base = found.return_came[:, at], found.quantiles[:, at], found.quantile_base[:, at]
    known = ~(np.isnan(came) | np.isnan(base[:, 0]))
    came, ends, base = came[known], ends[known][:, [0, -1]], base[known][:, [0, -1]]
    held = (came >= ends[:, 0]) & (came <= ends[:, 1])
    tails = np.array([0.05, 0.95])

    def pinball(quantiles: FloatArray) -> float:
        miss = came[:, None] - quantiles
        return float(np.maximum(tails * miss, (tails - 1.0) * miss).mean())

    worst = float(np.convolve(held, np.ones(504) / 504, mode="valid").min()) if len(held) > 504 else 0.0  # noqa: PLR2004  two years
    return RangeScore(float(held.mean()), worst, 1.0 - pinball(ends) / pinball(base))


def _at_least(name: str, value: float, *, bound: float) -> Row:
    return within(name, Figure(value, "ratio", is_lower_better=False), bound=bound)


def _index_rows(name: str, found: Forecasts) -> list[Row]:
    start, rows = f"skill.{name}", []
    for horizon, least, error in ((21, 0.12, 0.05), (5, 0.17, 0.015)):
        score, key = fall(found, horizon), f"{start}.fall_0.05_in_{horizon}d"
        rows.append(_at_least(f"{key}.brier_skill", score.skill, bound=least))
        rows.append(_at_least(f"{key}.brier_skill_low90", score.low, bound=0.0))
        rows.append(within(f"{key}.calibration_error", Figure(score.ece, "ratio"), bound=error))
        rows.append(_at_least(f"{start}.up_{horizon}d.brier_skill", up(found, horizon).skill, bound=-0.005))
    loss, wide = qlike(found, 21), wide_range(found, 21)
    rows.append(_at_least(f"{start}.variance.qlike_skill", 1 - loss["ours"] / loss["mean"], bound=0.6))
    rows.append(_at_least(f"{start}.variance.below_ewma", 1 - loss["ours"] / loss["ewma"], bound=0.2))
    figure = Figure(loss["ours"], "qlike")
    rows.append(against(f"{start}.variance", figure, peer="EWMA", peer_value=loss["ewma"], least_ratio=1.25))
    miss = Figure(abs(wide.coverage - 0.9), "ratio")
    rows.append(within(f"{start}.range90.coverage_error", miss, bound=0.02))
    rows.append(_at_least(f"{start}.range90.worst_2y_coverage", wide.worst, bound=0.82))
    rows.append(_at_least(f"{start}.range90.pinball_skill", wide.pinball, bound=0.07))
    return rows


def unseen(snapshots: Mapping[str, Snapshot]) -> dict[str, Forecasts]:
    """Return the forecasts of each instrument by lessons that it and its family never taught."""
    lessons = prepare({name: daily_bars(found) for name, found in snapshots.items()}, HORIZONS)
    result = {}
    for each in sorted({family(name) for name in UNSEEN if name in snapshots}):
        kin = [name for name in snapshots if family(name) == each]
        prior = learn(lessons, years=range(1998, 2025), without=kin)
        for name in kin:
            result[name] = walk_forward(snapshots[name], horizons=HORIZONS, prior=prior)
    return result


def _unseen_rows(found: Mapping[str, Forecasts]) -> list[Row]:
    rows = []
    for horizon, least in ((21, 0.06), (5, 0.13)):
        scores = {name: fall(found[name], horizon).skill for name in UNSEEN if name in found}
        rows += [
            _at_least(f"unseen.{name}.fall_0.05_in_{horizon}d", value, bound=0.0)
            for name, value in scores.items()
        ]
        funds = [scores[name] for name in FUNDS if name in scores]
        if funds:
            rows.append(
                _at_least(f"unseen.funds.fall_in_{horizon}d.mean", float(np.mean(funds)), bound=least)
            )
            every = float(np.mean(list(scores.values())))
            rows.append(_at_least(f"unseen.all.fall_in_{horizon}d.mean", every, bound=least))
    return rows


def rows() -> list[Row]:
    """Judge both indices, and what is at hand of the instruments left out."""
    with TemporaryDirectory() as folder:
        snapshots = load_snapshots(Home(Path(folder)))
    found = []
    for name in RECORDED:
        forecasts = walk_forward(snapshots[name], start=date(2004, 1, 1), end=date(2018, 12, 31))
        found += _index_rows(name, forecasts)
    return found + _unseen_rows(unseen(snapshots))
