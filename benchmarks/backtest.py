"""How fast a backtest is, beside vectorbt and backtesting.py, at the same final equity.

The rule is a 50/200 average times a volatility target, filled at the next open, 5 bps, a band of
0.1. Ours is timed whole: indicators, decisions and account. vectorbt is handed the finished
orders and backtesting.py the finished signal, so both are spared what ours does.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.peers.environment import run_peer
from benchmarks.row import Figure, Row, against, within
from when_to_invest.backtest.course import Course
from when_to_invest.backtest.engine import run_events
from when_to_invest.backtest.rules.trend import TrendRule, TrendStrategy
from when_to_invest.backtest.terms import Terms
from when_to_invest.backtest.trial import Trial, make_trial
from when_to_invest.backtest.vectorised import run_rule, sweep, targets_of
from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.market import BarSeries, Snapshot

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

BARS: Final = 1_000_000
SWEEP_BARS: Final = 5_000
EVENT_BARS: Final = 20_000
RULE: Final = TrendRule(50, 200, 0.0, 21)
ON_OFF: Final = TrendRule(50, 200, 0.0, 0)
GRID: Final = [
    TrendRule(fast, slow, 0.0, window)
    for fast in range(5, 105, 10)
    for slow in range(110, 310, 10)
    for window in (10, 21, 42, 63, 126)
]
REPEATS: Final = 25
TOLERANCE: Final = 1e-6
"""Peers round: vectorbt takes 1e-9 for nothing, backtesting.py trades whole units."""


def random_walk(count: int, *, seed: int = 0) -> Snapshot:
    """Return minute bars of a random walk whose volatility comes and goes."""
    rng = np.random.default_rng(seed)
    sigma = 0.001 * np.exp(0.5 * np.sin(np.arange(count) / 300.0))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1.0, count) * sigma))
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0.0, 1e-4, count))
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    opened_us = np.arange(count, dtype=np.int64) * 60_000_000
    known = Instrument(
        id="WALK",
        name="a random walk",
        interval=Interval.MINUTE,
        session=Session.CONTINUOUS,
        has_range=True,
        has_volume=True,
        lot_size=Decimal("0.001"),
        tick_size_usd=Decimal("0.01"),
        min_notional_usd=Decimal(1),
    )
    bars = BarSeries(opened_us, opened, high, low, close, np.ones(count))
    return Snapshot(known, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=count), bars)


def orders_of(rule: TrendRule, trial: Trial, course: Course) -> FloatArray:
    """Return the target filled at each bar (n,), NaN where nothing was traded."""
    is_traded = np.diff(course.units) != 0.0
    orders = np.full(len(trial), np.nan)
    orders[1:] = np.where(is_traded, targets_of(rule, trial)[:-1], np.nan)
    return orders


def fastest(call: Callable[[], object]) -> float:
    """Return the least CPU time of several calls in seconds, after one to warm up.

    Everything here, ours and theirs, computes on one thread; CPU time keeps neighbours out.
    """
    call()
    durations = []
    for _ in range(REPEATS):
        started = time.process_time()
        call()
        durations.append(time.process_time() - started)
    return min(durations)


def rows() -> list[Row]:
    """Measure one long backtest and a sweep, ours and theirs, and hold the final equities equal."""
    trial = make_trial(random_walk(BARS), terms=Terms())
    small = make_trial(random_walk(SWEEP_BARS), terms=Terms())
    course, on_off, paths = run_rule(RULE, trial), run_rule(ON_OFF, trial), sweep(GRID, small)
    bars = trial.snapshot.bars
    given = {
        "open": bars.open,
        "close": bars.close,
        "sizes": orders_of(RULE, trial, course),
        "sweep_open": small.snapshot.bars.open,
        "sweep_close": small.snapshot.bars.close,
        "sweep_sizes": np.column_stack([orders_of(rule, small, run_rule(rule, small)) for rule in GRID]),
        "signal": np.nan_to_num(targets_of(ON_OFF, trial)),
    }
    runs = (lambda: run_rule(RULE, trial), lambda: run_rule(ON_OFF, trial), lambda: sweep(GRID, small))
    before = [fastest(run) for run in runs]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.npz"
        np.savez(path, allow_pickle=False, **given)
        vectorbt = run_peer("backtests", str(path), "vectorbt")
        swept = run_peer("backtests", str(path), "vectorbt_sweep")
        backtesting = run_peer("backtests", str(path), "backtesting")
    # Once before and once after the peers: the machine is not the same all the time.
    long, short, sweeping = (min(*pair) for pair in zip(before, map(fastest, runs), strict=True))
    return [
        _faster("backtest 1 M bars", long, peer="vectorbt", theirs=vectorbt, least_ratio=25),
        _apart("vectorbt", course.equity[-1:], vectorbt),
        _faster("backtest in and out", short, peer="backtesting.py", theirs=backtesting, least_ratio=1_000),
        _apart("backtesting.py", on_off.equity[-1:], backtesting),
        _faster("backtest sweep 1,000 x 5,000", sweeping, peer="vectorbt", theirs=swept, least_ratio=25),
        _apart("vectorbt sweep", paths[:, 0], swept),
        within("backtest bars a second", Figure(BARS / long, "bars/s", is_lower_better=False), bound=40e6),
        *_events(trial),
    ]


def _faster(name: str, seconds: float, *, peer: str, theirs: dict[str, list[float]], least_ratio: int) -> Row:
    return against(
        name, Figure(seconds, "s"), peer=peer, peer_value=theirs["seconds"][0], least_ratio=least_ratio
    )


def _apart(name: str, ours: FloatArray, theirs: dict[str, list[float]]) -> Row:
    """Return a row that bounds the greatest relative difference of final equity."""
    apart = float(np.abs(ours / np.array(theirs["final"]) - 1.0).max())
    return within(f"backtest equity apart from {name}", Figure(apart, "ratio"), bound=TOLERANCE)


def _events(trial: Trial) -> list[Row]:
    """Return the speed of the event engine, and that the vectorised one never leaves it."""
    small = make_trial(random_walk(EVENT_BARS), terms=trial.terms)
    started = time.perf_counter()
    course = run_events(TrendStrategy("rule", RULE), small)
    speed = EVENT_BARS / (time.perf_counter() - started)
    apart = float(np.abs(course.equity - run_rule(RULE, small).equity).max())
    return [
        within("backtest event engine", Figure(speed, "bars/s", is_lower_better=False), bound=30e3),
        within("backtest engines apart", Figure(apart, "budget"), bound=0.0),
    ]
