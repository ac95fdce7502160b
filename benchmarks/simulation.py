"""How fast futures are simulated, and whether their odds of a fall beat those that recommend.

`rows` times the paths. `skills` (run this module) walks both recorded indices through 2004-2018,
every fifth day, and prints the Brier skill of simulated odds beside the odds of `walk_forward`;
it is a comparison, not a promise: nothing here changes what is recommended. Dynamics are refitted
each year on returns up to that day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.markets import RECORDED
from benchmarks.odds_skill import brier
from benchmarks.row import Figure, Row, median_s, within
from home.paths import Home
from market_data.source import latest_as_of, snapshot
from when_to_invest.features.daily import daily_bars
from when_to_invest.honesty.scores import block_of, skill_ci
from when_to_invest.models.garch import GarchParameters, fit_garch
from when_to_invest.models.simulation import (
    Outlook,
    Paths,
    outlook,
    simulate,
    uniform_draws,
    variance_by_day,
)
from when_to_invest.models.walk_forward import Forecasts, walk_forward

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, Snapshot

FALL: Final = 0.05
HORIZONS: Final = (5, 21)
EVERY: Final = 5
REPEATS: Final = 50
MODEL: Final = GarchParameters(3e-4, 2e-6, 0.03, 0.12, 0.88, 7.0, 1e-4)


@dataclass(frozen=True, slots=True)
class Compared:
    """Brier skill of some odds against the base rate, and against the odds that recommend.

    `low`, `high`: 90 % interval of `skill`; `gain_low`, `gain_high`: that of `gain`.
    """

    name: str
    skill: float
    low: float
    high: float
    calibration_error: float
    gain: float
    gain_low: float
    gain_high: float


def rows() -> list[Row]:
    """Time 4,000 paths of 63 days, and every answer read off them."""
    drawn = np.random.default_rng(0).standard_t(5, 4_000)
    start = Outlook(MODEL, 1e-4, np.sort((drawn - drawn.mean()) / drawn.std()))
    walked = median_s(lambda: simulate(start), repeats=REPEATS)
    answered = median_s(lambda: _answers(simulate(start)), repeats=REPEATS)
    return [
        within("simulation 4,000 paths x 63 days", Figure(walked * 1e3, "ms"), bound=5.0),
        within("simulation with every answer", Figure(answered * 1e3, "ms"), bound=10.0),
    ]


def _answers(paths: Paths) -> list[object]:
    days = (5, 21, 63)
    return [
        [paths.up_odds(each) for each in days],
        [paths.fall_odds(fall, each) for fall in (0.03, 0.05, 0.10) for each in days],
        [paths.return_quantiles(each, (0.05, 0.25, 0.5, 0.75, 0.95)) for each in days],
        paths.passage_quantiles(FALL, (0.1, 0.25, 0.5)),
        [paths.waiting_cost(each) for each in days],
    ]


def simulated(seen: Snapshot, found: Forecasts) -> dict[str, FloatArray]:
    """Return odds (m, H) of the fall on each day of `found`, at GJR's and at the forecast variance."""
    close = daily_bars(seen).close
    returns, draws = np.diff(close) / close[:-1], uniform_draws(seed=0, horizon=max(HORIZONS))
    odds = {"gjr": np.empty((len(found), len(HORIZONS))), "scaled": np.empty((len(found), len(HORIZONS)))}
    for index, (known, parameters) in enumerate(_fits(found, returns)):
        start = outlook(known, parameters)
        means = dict(zip(HORIZONS, found.variance[index].tolist(), strict=True))
        level = variance_by_day(means, horizon=max(HORIZONS))
        for name, variance in (("gjr", None), ("scaled", level)):
            paths = simulate(start, variance=variance, draws=draws)
            odds[name][index] = [paths.fall_odds(FALL, days) for days in HORIZONS]
    return odds


def _fits(found: Forecasts, returns: FloatArray) -> Iterator[tuple[FloatArray, GarchParameters]]:
    """Yield each day's returns so far, and parameters fitted on the first day of its year."""
    years = found.day.astype("datetime64[D]").astype("datetime64[Y]")
    fits: dict[object, GarchParameters] = {}
    for row, year in zip(found.row.tolist(), years, strict=True):
        known = returns[:row]
        if year not in fits:
            fits[year] = fit_garch(known)
        yield known, fits[year]


def compare(name: str) -> list[Compared]:
    """Judge an index's simulated odds, those that recommend, and the plain average of both."""
    seen = snapshot(Home(Path("unused")), name, as_of=latest_as_of(Home(Path("unused")), name))
    found = walk_forward(
        seen,
        start=date(2004, 1, 1),
        end=date(2018, 12, 31),
        horizons=HORIZONS,
        thresholds=(0.03, FALL, 0.10),
        every=EVERY,
    )
    ours = found.drop[:, :, 1]
    odds = {"incumbent": ours, **simulated(seen, found)}
    odds |= {f"average with {each}": (ours + odds[each]) / 2.0 for each in ("gjr", "scaled")}
    return [
        _judged(f"{name} {days}d {label}", given[:, at], found, at)
        for at, days in enumerate(HORIZONS)
        for label, given in odds.items()
    ]


def _judged(name: str, odds: FloatArray, found: Forecasts, at: int) -> Compared:
    came, base, ours = found.drop_came[:, at, 1], found.drop_base[:, at, 1], found.drop[:, at, 1]
    known = ~np.isnan(came)
    steps = -(-found.horizons[at] // EVERY)
    score = brier(odds, base, came, horizon=steps)
    loss, our_loss = ((odds - came)[known] ** 2, (ours - came)[known] ** 2)
    gain = skill_ci(loss, our_loss, block=block_of(steps), level=0.9)
    total = 1.0 - float(loss.sum() / our_loss.sum())
    return Compared(name, score.skill, score.low, score.high, score.ece, total, gain.low, gain.high)


def skills() -> list[Compared]:
    """Judge both recorded indices."""
    return [each for name in RECORDED for each in compare(name)]


if __name__ == "__main__":
    for line in skills():
        print(
            f"{line.name:<34} skill {line.skill:+.3f} [{line.low:+.3f}, {line.high:+.3f}]"
            f"  ece {line.calibration_error:.3f}"
            f"  against incumbent {line.gain:+.3f} [{line.gain_low:+.3f}, {line.gain_high:+.3f}]"
        )
