"""Learn the dated dynamics that ship with the package, and measure what not fitting live costs.

Reads the same bars as `fit_priors`; writes `when_to_invest/models/priors/dynamics.json`. The
same files give the same tables. Then every instrument's variances and odds of a fall are made
twice: with its own yearly fits, and with tables that it and its family never taught. Variants
were judged so, on the recorded indices before 2004 and from 2019 on only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.markets import data_hashes, family, load_snapshots
from home.paths import Home
from when_to_invest.errors import Fault
from when_to_invest.features.daily import SESSIONS_PER_YEAR, DailyBars, daily_bars
from when_to_invest.models.dynamics import Dynamics, Shape, Table, own_garch, to_document
from when_to_invest.models.garch import GarchParameters, conditional_variance, fit_garch
from when_to_invest.models.regimes import RegimeParameters, fit_regimes
from when_to_invest.models.simulation import outlook, shrunk_drift, simulate, variance_by_day
from when_to_invest.models.walk_forward import Forecasts, walk_forward

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, Snapshot, TimeArray

YEARS: Final = range(1932, 2026)
TARGET: Final = Path("when_to_invest/models/priors/dynamics.json")
VARIANTS_TRIED: Final = 16
FEWEST_DAYS: Final = 1_000
KINDS: Final = (252, 365)
_ALL_MARKETS: Final = 2.0
"""Families of all markets together count as this many of the same kind."""
_TEST_YEARS: Final = range(2004, 2019)
_INDICES: Final = frozenset({"large", "nasdaq"})
_HORIZONS: Final = (5, 21)
_THRESHOLDS: Final = (0.03, 0.05, 0.10)
_EVERY: Final = 10


@dataclass(frozen=True, slots=True)
class Fit:
    """An instrument's own likelihood fits on its returns up to the end of a year."""

    days: int
    garch: GarchParameters
    regimes: RegimeParameters

    @property
    def shape(self) -> FloatArray:
        """Alpha, gamma, beta and tail (4,)."""
        known = self.garch
        return np.array((known.alpha, known.gamma, known.beta, 1.0 / known.degrees))


@dataclass(frozen=True, slots=True)
class Pupil:
    """One instrument: bars, simple returns (n - 1,) with their years, and fits by year."""

    name: str
    bars: DailyBars
    returns: FloatArray
    year: TimeArray
    fits: Mapping[int, Fit]

    def latest(self, year: int) -> Fit | None:
        """Return the newest fit that the end of `year` knew."""
        newest = max((known for known in self.fits if known <= year), default=None)
        return None if newest is None else self.fits[newest]


def study(name: str, bars: DailyBars) -> Pupil:
    """Return the instrument with a fit at the end of each year that had days enough."""
    returns = np.diff(bars.close) / bars.close[:-1]
    year = bars.day[1:].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    fits = {}
    for each in np.unique(year).tolist():
        known = returns[year <= each]
        if each >= YEARS.start and len(known) >= FEWEST_DAYS:
            try:
                fits[each] = Fit(len(known), fit_garch(known), fit_regimes(known / known.std()))
            except Fault:  # a likelihood without maximum teaches nothing that year
                continue
    return Pupil(name, bars, returns, year, fits)


def learn(pupils: Collection[Pupil], *, without: Collection[str] = ()) -> Dynamics:
    """Return the tables of all years, from every instrument but those `without`."""
    taught = [each for each in pupils if each.name not in without]
    tables = {}
    for year in YEARS:
        known = [(each, fit) for each in taught if (fit := each.latest(year)) is not None]
        if known:
            tables[year] = {kind: _table(known, kind) for kind in KINDS}
    return Dynamics(tables)


def _table(known: Collection[tuple[Pupil, Fit]], kind: int) -> Table:
    """Return the shapes of families of this kind of market, the middle one, and middle regimes."""
    every = _families(known)
    same = _families([(pupil, fit) for pupil, fit in known if pupil.bars.days_per_year == kind])
    shapes = {name: np.mean([fit.shape for fit in fits], axis=0) for name, fits in same.items()}
    middle = [
        _pulled(
            [np.median([column(fit) for fit in fits], axis=0) for fits in same.values()],
            [np.median([column(fit) for fit in fits], axis=0) for fits in every.values()],
        )
        for column in (lambda fit: fit.shape, lambda fit: np.array(fit.regimes))
    ]
    return Table(
        shapes=tuple(Shape(*each.tolist()) for each in (*shapes.values(), middle[0])),
        regimes=RegimeParameters(*middle[1].tolist()),
    )


def _pulled(same: list[FloatArray], every: list[FloatArray]) -> FloatArray:
    """Return the median of families of the same kind, pulled towards that of all."""
    overall: FloatArray = np.median(every, axis=0)
    if not same:
        return overall
    own: FloatArray = np.median(same, axis=0)
    mixed: FloatArray = (len(same) * own + _ALL_MARKETS * overall) / (len(same) + _ALL_MARKETS)
    return mixed


def _families(known: Collection[tuple[Pupil, Fit]]) -> dict[str, list[Fit]]:
    found: dict[str, list[Fit]] = {}
    for pupil, fit in known:
        found.setdefault(family(pupil.name), []).append(fit)
    return found


@dataclass(frozen=True, slots=True)
class Compared:
    """One instrument, unseen tables against own yearly fits.

    `variance`: mean of ln v + e^2 / v of the next day, less that of the own fits (negative:
    better; QLIKE up to a constant). `own`, `pooled`: Brier skill of simulated odds of a fall
    by horizon, against base rates.
    """

    name: str
    days: int
    variance: float
    own: tuple[float, ...]
    pooled: tuple[float, ...]


def compare(pupil: Pupil, found: Forecasts, dynamics: Dynamics) -> Compared:
    """Judge both on the years that may be looked at."""
    losses = [
        _losses(pupil, year, dynamics)
        for year in np.unique(pupil.year).tolist()
        if year - 1 in pupil.fits and _may_judge(pupil, year)
    ]
    own, pooled = _fall_skills(pupil, found, dynamics)
    joined = np.concatenate(losses)
    return Compared(pupil.name, len(joined), float(joined.mean()), own, pooled)


def _may_judge(pupil: Pupil, year: int) -> bool:
    is_index = family(pupil.name) in _INDICES and pupil.bars.days_per_year == SESSIONS_PER_YEAR
    return not (is_index and year in _TEST_YEARS)


def _losses(pupil: Pupil, year: int, dynamics: Dynamics) -> FloatArray:
    """Return each day's loss by unseen tables less that by the fit of the year before."""
    known, past = pupil.returns[pupil.year <= year], pupil.returns[pupil.year < year]
    is_now = (pupil.year[pupil.year <= year]) == year
    table = dynamics.table(year, pupil.bars.days_per_year)
    if table is None:
        return np.empty(0)
    losses = []
    for model in (own_garch(past, table), pupil.fits[year - 1].garch):
        variance = conditional_variance(known, model)[:-1][is_now]
        losses.append(np.log(variance) + (known[is_now] - past.mean()) ** 2 / variance)
    difference: FloatArray = losses[0] - losses[1]
    return difference


def _fall_skills(
    pupil: Pupil, found: Forecasts, dynamics: Dynamics
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the Brier skill of simulated odds by own fits, and by unseen tables, by horizon."""
    loss = np.zeros((3, len(_HORIZONS)))
    for index, row in enumerate(found.row.tolist()):
        year = int(pupil.year[row - 1])
        table, fit = dynamics.table(year, pupil.bars.days_per_year), pupil.fits.get(year - 1)
        if table is None or fit is None or not _may_judge(pupil, year):
            continue
        known = pupil.returns[:row]
        level = variance_by_day(dict(zip(_HORIZONS, found.variance[index].tolist(), strict=True)), horizon=63)
        odds = [_odds(known, model, level) for model in (fit.garch, own_garch(known, table))]
        came, base = found.drop_came[index], found.drop_base[index]
        for place, each in enumerate((*odds, base)):
            loss[place] += np.nan_to_num((each - came) ** 2).sum(axis=1)
    own, pooled = (tuple((1.0 - loss[place] / loss[2]).tolist()) for place in (0, 1))
    return own, pooled


def _odds(returns: FloatArray, model: GarchParameters, level: FloatArray) -> FloatArray:
    """Return the simulated odds (H, T)."""
    paths = simulate(outlook(returns, model), variance=level, drift=shrunk_drift(returns))
    return np.array([[paths.fall_odds(fall, days) for fall in _THRESHOLDS] for days in _HORIZONS])


def judge(snapshots: Mapping[str, Snapshot], pupils: Collection[Pupil]) -> list[Compared]:
    """Judge every instrument by tables that it and its family never taught."""

    @cache
    def unseen(group: str) -> Dynamics:
        return learn(pupils, without=[each.name for each in pupils if family(each.name) == group])

    return [
        compare(
            each,
            walk_forward(snapshots[each.name], horizons=_HORIZONS, thresholds=_THRESHOLDS, every=_EVERY),
            unseen(family(each.name)),
        )
        for each in pupils
        if any(year - 1 in each.fits and _may_judge(each, year) for year in set(each.year.tolist()))
    ]


def _print(found: list[Compared]) -> None:
    for each in found:
        skills = "  ".join(
            f"{days}d own {own:+.3f} pooled {pooled:+.3f}"
            for days, own, pooled in zip(_HORIZONS, each.own, each.pooled, strict=True)
        )
        sys.stdout.write(f"{each.name:<6} {each.days:>5} days  variance {each.variance:+.4f}  {skills}\n")
    variance = np.array([each.variance for each in found])
    gains = np.array([each.pooled for each in found]) - np.array([each.own for each in found])
    better = int((variance < 0.0).sum())
    sys.stdout.write(
        f"unseen tables against own fits: variance better on {better} of {len(found)}, median "
        f"{np.median(variance):+.4f}; odds of a fall, mean gain in skill "
        + ", ".join(
            f"{gain:+.4f} in {days}d" for days, gain in zip(_HORIZONS, gains.mean(axis=0), strict=True)
        )
        + "\n"
    )


def main() -> int:
    """Learn, write, and print the comparison."""
    with TemporaryDirectory() as folder:
        snapshots = load_snapshots(Home(Path(folder)))
    markets = {name: daily_bars(found) for name, found in snapshots.items()}
    pupils = [study(name, bars) for name, bars in markets.items()]
    dynamics = learn(pupils)
    document = {
        "made_by": "benchmarks/fit_dynamics.py",
        "variants_tried": VARIANTS_TRIED,
        "data": data_hashes(markets),
        **to_document(dynamics),
    }
    TARGET.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(pupils)} instruments, tables of {len(dynamics.tables)} years\n")
    _print(judge(snapshots, pupils))
    return 0


if __name__ == "__main__":
    sys.exit(main())
