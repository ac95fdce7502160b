from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from home.paths import Home
from market_data.source import parse_as_of, snapshot
from when_to_invest.decision.recommend import recommend
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.market import Snapshot
from when_to_invest.models.volatility import LEVELS
from when_to_invest.models.walk_forward import walk_forward


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


@pytest.mark.parametrize("day", ["2005-03-04", "2008-10-15", "2018-12-24"])
def test_a_day_is_forecast_as_it_was_recommended_on_that_day(day: str) -> None:
    lived = recommend(spx(day))
    found = walk_forward(spx("2018-12-31"), start=date(2004, 1, 2), end=date.fromisoformat(day))
    odds = {(each.threshold_ratio, each.horizon_days): each for each in lived.p_drop}
    for column, horizon in enumerate(found.horizons):
        for place, threshold in enumerate(found.thresholds):
            each = odds[threshold, horizon]
            assert each.value == pytest.approx(found.drop[-1, column, place], abs=1e-6)
            assert each.baseline == pytest.approx(found.drop_base[-1, column, place], abs=1e-6)
    month = found.horizons.index(21)
    assert lived.p_up.value == pytest.approx(found.up[-1, month], abs=1e-6)
    assert lived.sigma_annual == pytest.approx((found.variance[-1, month] * 252) ** 0.5, abs=1e-6)
    assert lived.return_interval[-1].low == pytest.approx(found.quantiles[-1, month, 0], abs=1e-6)
    assert lived.return_interval[-1].high == pytest.approx(found.quantiles[-1, month, -1], abs=1e-6)
