"""Backtest trials: random walks of any length, costs and budget."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.backtest.terms import Terms
from when_to_invest.backtest.trial import Trial, make_trial
from when_to_invest.market import BarSeries, Snapshot


def walk(count: int, *, seed: int, has_range: bool = True) -> Snapshot:
    """Return `count` daily bars whose volatility comes and goes, opens apart from closes."""
    made = daily_snapshot(count, seed=seed)
    rng = np.random.default_rng(seed)
    sigma = 0.01 * np.exp(0.7 * np.sin(np.arange(count) / 60.0))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1.0, count) * sigma))
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0.0, 0.003, count))
    high, low = np.maximum(opened, close) * 1.002, np.minimum(opened, close) * 0.998
    blank = np.full(count, np.nan)
    bars = (
        BarSeries(made.bars.opened_us, opened, high, low, close, made.bars.volume)
        if has_range
        else BarSeries(made.bars.opened_us, blank, blank, blank, close, blank)
    )
    known = made.instrument.model_copy(update={"has_range": has_range, "has_volume": has_range})
    return replace(made, instrument=known, bars=bars)


@st.composite
def trials(draw: st.DrawFn) -> Trial:
    """Return a trial of 2 to 80 bars with any history before it, costs, interest and budget."""
    count = draw(st.integers(2, 80))
    snapshot = walk(count, seed=draw(st.integers(0, 10_000)), has_range=draw(st.booleans()))
    terms = Terms(
        fee_bps=draw(st.sampled_from([0.0, 5.0, 100.0])),
        slippage_bps=draw(st.sampled_from([0.0, 3.0, 200.0])),
        no_trade_band=draw(st.sampled_from([0.0, 0.02, 0.1, 0.5])),
        cash_rate_annual=draw(st.sampled_from([-0.01, 0.0, 0.05])),
    )
    return make_trial(
        snapshot,
        first=draw(st.integers(0, count - 2)),
        terms=terms,
        arrival_months=draw(st.sampled_from([0, 1, 3])),
    )
