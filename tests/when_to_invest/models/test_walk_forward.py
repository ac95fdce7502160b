from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from home.paths import Home
from market_data.source import parse_as_of, snapshot
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.market import Snapshot
from when_to_invest.models.walk_forward import LEVELS, walk_forward


def spx(as_of: str) -> Snapshot:
    return snapshot(Home(Path("unused")), "SPX", as_of=parse_as_of(as_of))


def test_a_period_without_enough_history_is_refused() -> None:
    with pytest.raises(Fault) as caught:
        walk_forward(spx("2018-12-31"), end=date(1999, 6, 1))
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


def test_every_column_has_a_value_for_every_day_horizon_and_threshold() -> None:
    found = walk_forward(
        spx("2018-12-31"), start=date(2006, 1, 1), end=date(2006, 6, 30), horizons=(5, 21), every=5
    )
    assert found.drop.shape == found.drop_base.shape == found.drop_came.shape == (len(found), 2, 3)
    assert found.quantiles.shape == (len(found), 2, len(LEVELS))
    for column in (found.variance, found.drop, found.drop_came, found.up, found.quantiles, found.return_came):
        assert np.isfinite(column).all()
    assert (np.diff(found.quantiles, axis=2) >= 0.0).all()


def test_outcomes_that_have_not_ended_are_unknown() -> None:
    found = walk_forward(spx("2006-06-30"), start=date(2006, 1, 1), horizons=(21,))
    assert np.isnan(found.return_came[-21:]).all()
    assert np.isfinite(found.return_came[:-21]).all()
