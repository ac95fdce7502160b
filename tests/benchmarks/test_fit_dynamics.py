"""The tables that ship are learnt from what each year knew, and from nobody left out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.fit_dynamics import FEWEST_DAYS, Fit, Pupil, learn, study
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.models.garch import GarchParameters
from when_to_invest.models.regimes import RegimeParameters

BARS = daily_bars(daily_snapshot(1400))


def _fit(alpha: float, *, calm: float = 0.4) -> Fit:
    garch = GarchParameters(0.0, 1e-6, alpha, 0.1, 0.8, 8.0, 1e-4)
    return Fit(2000, garch, RegimeParameters(0.0, calm, 0.99, 0.0, 2.5, 0.97))


def _pupil(name: str, fits: dict[int, Fit], *, days_per_year: int = 252) -> Pupil:
    bars = dataclasses.replace(BARS, days_per_year=days_per_year)
    return Pupil(name, bars, np.zeros(1), np.zeros(1, dtype=np.int64), fits)


def test_a_year_learns_from_fits_up_to_it() -> None:
    early = learn([_pupil("A", {2000: _fit(0.02)})])
    both = learn([_pupil("A", {2000: _fit(0.02), 2005: _fit(0.09)})])
    assert min(both.tables) == 2000
    assert all(both.tables[year] == early.tables[year] for year in range(2000, 2005))
    assert both.tables[2005][252].shapes[0].alpha == pytest.approx(0.09)
    assert both.tables[2025] == both.tables[2005]


def test_who_is_left_out_teaches_nothing() -> None:
    pupils = [_pupil("A", {2000: _fit(0.02)}), _pupil("B", {2000: _fit(0.09)})]
    assert learn(pupils, without=["B"]) == learn(pupils[:1])
    assert learn(pupils) != learn(pupils[:1])


def test_a_family_speaks_once() -> None:
    family = [_pupil(name, {2000: _fit(alpha)}) for name, alpha in (("SPX", 0.02), ("SPY", 0.04))]
    shapes = learn([*family, _pupil("GLD", {2000: _fit(0.09)})]).tables[2000][252].shapes
    assert [shape.alpha for shape in shapes] == pytest.approx([0.03, 0.09, 0.06])


def test_a_market_learns_its_own_kind_first_and_all_where_there_is_none() -> None:
    pupils = [_pupil(f"S{n}", {2000: _fit(0.02)}) for n in range(3)]
    alone = learn(pupils).tables[2000][365]
    assert [shape.alpha for shape in alone.shapes] == pytest.approx([0.02])
    coins = [_pupil(f"C{n}", {2000: _fit(0.12)}, days_per_year=365) for n in range(2)]
    shapes = learn([*pupils, *coins]).tables[2000][365].shapes
    assert [shape.alpha for shape in shapes] == pytest.approx([0.12, 0.12, (2 * 0.12 + 2 * 0.02) / 4])


def test_a_fit_knows_the_days_up_to_the_end_of_its_year() -> None:
    whole = study("A", BARS)
    last = min(whole.fits)
    count = int((whole.year <= last).sum()) + 1
    spoiled = _spoiled(BARS, count)
    assert count > FEWEST_DAYS
    assert study("A", spoiled).fits[last] == whole.fits[last]


def _spoiled(bars: DailyBars, count: int) -> DailyBars:
    """Return the bars with other closes from row `count` on."""
    close = bars.close.copy()
    close[count:] *= 1.0 + 0.2 * np.random.default_rng(0).random(len(close) - count)
    return dataclasses.replace(bars, close=close)
