"""The overlay follows the live advice: day by day the same orders as asking `recommend`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.decision.recommend import recommend
from when_to_invest.evaluation.followed import Period, followed_weights
from when_to_invest.features.daily import daily_bars
from when_to_invest.market import Snapshot

FIRST, STOP = 640, 700


def _live_orders(seen: Snapshot) -> list[float]:
    """Return what one orders who asks at every close and says what is held, drifted by the price."""
    close, orders, held = seen.bars.close, [], 0.0
    for row in range(FIRST, STOP):
        growth = close[row] / close[max(row - 1, FIRST)]
        held = held * growth / (1.0 - held + held * growth)
        bars = seen.bars.between(0, row + 1)
        now = Snapshot(seen.instrument, Snapshot(seen.instrument, seen.as_of, bars).data_as_of, bars)
        made = recommend(now, held_fraction=held)
        is_order = made.target_fraction != made.held_fraction
        orders.append(made.target_fraction if is_order else math.nan)
        held = made.target_fraction if is_order else held
    return orders


@pytest.mark.parametrize("seed", [2, 11])
def test_the_overlay_orders_what_live_advice_would_have_ordered(seed: int) -> None:
    seen = daily_snapshot(STOP, seed=seed)
    # The days before the first one count live, but not for one who began on it.
    ordered = followed_weights(seen, daily_bars(seen), Period(FIRST - 6, STOP, 21))
    assert np.isfinite(ordered[FIRST - 6 :]).any()
    fresh = followed_weights(seen, daily_bars(seen), Period(FIRST, STOP, 21))
    live = _live_orders(seen)
    settled = 6
    assert [*np.isnan(fresh[FIRST + settled :])] == [*np.isnan(live[settled:])]
    assert fresh[FIRST + settled :] == pytest.approx(live[settled:], abs=2e-6, nan_ok=True)


def test_no_order_changes_when_the_future_does() -> None:
    seen = daily_snapshot(STOP, seed=3)
    bars = daily_bars(seen)
    whole = followed_weights(seen, bars, Period(600, STOP, 21))
    for stop in (620, 655, 690):
        early = followed_weights(seen, bars, Period(600, stop, 21))
        assert early.tolist() == pytest.approx(whole[:stop].tolist(), nan_ok=True, abs=0.0)


def test_what_is_ordered_is_a_share_of_the_budget() -> None:
    seen = daily_snapshot(STOP, seed=5)
    ordered = followed_weights(seen, daily_bars(seen), Period(600, STOP, 21))
    known = ordered[np.isfinite(ordered)]
    assert len(known)
    assert known.min() >= 0.0
    assert known.max() <= 1.0
