"""Dated dynamics: nothing from the future, levels of the instrument's own, shapes by likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from when_to_invest.models.dynamics import (
    Dynamics,
    Shape,
    Table,
    from_document,
    own_garch,
    own_regimes,
    shipped_dynamics,
    to_document,
)
from when_to_invest.models.regimes import RegimeParameters, read_regime, turbulence

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

REGIMES = RegimeParameters(0.05, 0.4, 0.99, -0.05, 2.5, 0.97)
STEADY, WILD = Shape(0.02, 0.02, 0.95, 0.1), Shape(0.30, 0.0, 0.60, 0.1)


def _table(*shapes: Shape) -> Table:
    return Table(shapes, REGIMES)


def _lived(shape: Shape, *, count: int = 3000, seed: int = 0) -> FloatArray:
    """Return returns of 1 % a day that follow `shape`."""
    rng = np.random.default_rng(seed)
    variance, returns = 1e-4, np.empty(count)
    for t in range(count):
        returns[t] = variance**0.5 * rng.standard_normal()
        weight = shape.alpha + (shape.gamma if returns[t] < 0.0 else 0.0)
        variance = 1e-4 * (1.0 - shape.kept) + weight * returns[t] ** 2 + shape.beta * variance
    return returns


def test_a_day_uses_the_table_of_an_earlier_year_only() -> None:
    early, late = _table(STEADY), _table(WILD)
    known = Dynamics({2000: {252: early}, 2005: {252: late}})
    assert known.table(2000, 252) is None
    assert [known.table(year, 252) for year in (2001, 2005, 2006, 2030)] == [early, early, late, late]


def test_what_ships_is_dated_and_stationary() -> None:
    shipped = shipped_dynamics()
    assert set(range(1990, 2026)) <= set(shipped.tables)
    for by_days in shipped.tables.values():
        assert set(by_days) == {252, 365}
        for table in by_days.values():
            assert 0.0 < table.regimes.turbulent_share < 1.0
            assert table.regimes.calm_variance < 1.0 < table.regimes.turbulent_variance
            for shape in table.shapes:
                assert min(shape.alpha, shape.alpha + shape.gamma, shape.beta) >= 0.0
                assert shape.kept < 1.0
                assert shape.degrees > 2.0


def test_tables_survive_being_written() -> None:
    shipped = shipped_dynamics()
    assert from_document(to_document(shipped)) == shipped


def test_the_level_is_the_instruments_own() -> None:
    returns = _lived(STEADY)
    for times in (1.0, 7.0):
        found = own_garch(times * returns, _table(STEADY))
        assert found.omega / (1.0 - STEADY.kept) == pytest.approx(times**2 * float(returns.var()))
        assert (found.alpha, found.gamma, found.beta) == pytest.approx(STEADY[:3])


@pytest.mark.parametrize("true", [STEADY, WILD])
def test_the_shape_that_its_past_followed_weighs_most(true: Shape) -> None:
    found = own_garch(_lived(true), _table(STEADY, WILD))
    other = WILD if true is STEADY else STEADY
    assert abs(found.beta - true.beta) < 0.1 * abs(found.beta - other.beta)


def test_a_likely_shape_is_preferred_less_on_a_short_past() -> None:
    short, long = (own_garch(_lived(WILD, count=n), _table(STEADY, WILD)).beta for n in (280, 3000))
    assert abs(long - WILD.beta) < abs(short - WILD.beta)


def test_a_persistent_shape_still_returns_to_its_level() -> None:
    found = own_garch(_lived(STEADY), _table(Shape(0.2, 0.0, 0.85, 0.3)))
    assert found.omega > 0.0


def test_regimes_are_in_units_of_the_instruments_own_volatility() -> None:
    returns = _lived(STEADY)
    found = own_regimes(3.0 * returns, _table(STEADY))
    assert found.calm_variance == pytest.approx(0.4 * 9.0 * float(returns.var()))
    assert found.turbulent_mean == pytest.approx(-0.05 * 3.0 * float(returns.std()))
    one, other = (
        turbulence(times * returns, own_regimes(times * returns, _table(STEADY))) for times in (1.0, 3.0)
    )
    assert one == pytest.approx(other)


def test_the_regime_says_for_how_long_it_has_held() -> None:
    rng = np.random.default_rng(1)
    returns = np.concatenate((rng.normal(0.0, 0.006, 900), rng.normal(0.0, 0.025, 30)))
    known = own_regimes(returns, _table(STEADY))
    found = read_regime(returns, known)
    odds = turbulence(returns, known)
    assert found.is_turbulent
    assert found.odds == odds[-1]
    assert found.usual == pytest.approx(odds.mean())
    assert (odds[-found.days :] > 0.5).all()
    assert odds[-found.days - 1] <= 0.5
    assert 20 <= found.days <= 30


def test_a_regime_that_never_changed_has_held_for_all_days() -> None:
    returns = np.random.default_rng(1).normal(0.0, 0.01, 600)
    calm = REGIMES._replace(calm_variance=1e-4, turbulent_variance=1.0, calm_mean=0.0)
    assert read_regime(returns, calm).days == 600
