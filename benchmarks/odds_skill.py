"""Walk-forward skill of the odds, ranges and volatility on the recorded indices, 2004-2018.

Every 21 sessions the models are refitted on what was known then, exactly as `recommend`
would, and judged on the sessions that follow. Reads recorded bars only. Eleven sets of
features and penalties were tried on these same years before this one was kept, so the figures
flatter it a little.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.row import Figure, Row, against, within
from home.paths import Home
from market_data.source import latest_as_of, snapshot
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.features.risk_frame import WARM_UP, RiskFrame, risk_frame
from when_to_invest.features.variance import log_returns
from when_to_invest.features.windows import exponential_mean
from when_to_invest.models.drop_odds import THRESHOLDS, drop_odds, walk_forward
from when_to_invest.models.har import fit_har
from when_to_invest.models.interval import return_ranges
from when_to_invest.models.outcomes import log_return_ahead, mean_ahead
from when_to_invest.models.skill import Fold
from when_to_invest.models.up_odds import up_odds
from when_to_invest.signals.trend import direction_features

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

STEP: Final = 21
START: Final = (date(2004, 1, 1) - date(1970, 1, 1)).days
REPEATS: Final = 2000
BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Market:
    """One index, and the first row that is judged."""

    name: str
    bars: DailyBars
    frame: RiskFrame
    first: int


def load(name: str) -> Market:
    """Return all recorded days of an index."""
    home = Home(Path("unused"))
    bars = daily_bars(snapshot(home, name, as_of=latest_as_of(home, name)))
    return Market(name, bars, risk_frame(bars), int(np.searchsorted(bars.day, START)))


@dataclass(frozen=True, slots=True)
class Score:
    """Brier skill against the base rate, its 90 % interval, and the calibration error."""

    skill: float
    low: float
    high: float
    ece: float


def brier(odds: FloatArray, base: FloatArray, came: FloatArray, *, horizon: int) -> Score:
    """Return the score; its interval comes from a circular block bootstrap of three horizons."""
    loss, base_loss = (odds - came) ** 2, (base - came) ** 2
    count, length = len(loss), 3 * horizon
    starts = np.random.default_rng(0).integers(0, count, size=(REPEATS, -(-count // length)))
    rows = (starts[:, :, None] + np.arange(length)) % count
    skills = 1.0 - loss[rows].sum(axis=(1, 2)) / base_loss[rows].sum(axis=(1, 2))
    low, high = (float(edge) for edge in np.quantile(skills, (0.05, 0.95)))
    bins = np.minimum((odds * BINS).astype(int), BINS - 1)
    gaps = [abs(float((odds - came)[bins == each].sum())) for each in range(BINS)]
    return Score(1.0 - float(loss.sum() / base_loss.sum()), low, high, sum(gaps) / count)


def falls(market: Market, *, horizon: int) -> dict[float, Score]:
    """Judge the odds of a fall as `recommend` would have given them, by threshold."""
    lines, close = market.frame.log_variance, market.bars.close
    odds, bases, outcomes = [], [], []
    for start in range(market.first, len(close) - horizon, STEP):
        fold = Fold(start - horizon, start, min(start + STEP, len(close) - horizon))
        given, base, came = walk_forward(lines, close, horizon=horizon, fold=fold)
        skill = drop_odds(lines[:start], close[:start], horizon=horizon).skill
        odds.append(given if skill.brier_skill > 0.0 else base)
        bases.append(base)
        outcomes.append(came)
    columns = zip(np.vstack(odds).T, np.vstack(bases).T, np.vstack(outcomes).T, strict=True)
    return {
        threshold: brier(*column, horizon=horizon)
        for threshold, column in zip(THRESHOLDS, columns, strict=True)
    }


def direction(market: Market) -> Score:
    """Judge p_up as recommended against its own base rate, on days a horizon apart."""
    close, features = market.bars.close, direction_features(market.bars, market.frame.log_variance)
    rows = range(market.first, len(close) - STEP, STEP)
    answers = [up_odds(features[: row + 1], close[: row + 1], horizon=STEP) for row in rows]
    odds = np.array([answer.value for answer in answers])
    base = np.array([answer.baseline for answer in answers])
    came = (log_return_ahead(close, STEP)[list(rows)] > 0.0).astype(float)
    return brier(odds, base, came, horizon=1)


def forecasts(market: Market) -> tuple[FloatArray, FloatArray]:
    """Return the variance forecast of each day, and whether the 90 % range held, walking forward."""
    close, returns = market.bars.close, log_returns(market.bars.close)
    ahead = np.expm1(log_return_ahead(close, STEP))
    forecast, held = np.full(len(close), np.nan), np.full(len(close), np.nan)
    for start in range(market.first, len(close), STEP):
        model = fit_har(market.frame, returns, horizon=STEP, until=start)
        every = np.full(len(close), np.nan)
        every[WARM_UP:] = model.forecast(market.frame.log_variance[WARM_UP:])
        forecast[start : start + STEP] = every[start : start + STEP]
        for row in range(start, min(start + STEP, len(close) - STEP)):
            wide = return_ranges(close[: row + 1], every[: row + 1], horizon=STEP)[-1]
            held[row] = wide.low <= ahead[row] <= wide.high
    rows = slice(market.first, len(close) - STEP)
    return forecast[rows], held[rows]


def qlike(market: Market, forecast: FloatArray) -> dict[str, float]:
    """Return the QLIKE loss (Patton 2011) of the forecast, of EWMA, and of the past mean."""
    squares = log_returns(market.bars.close) ** 2
    rows = slice(market.first, len(squares) - STEP)
    came = mean_ahead(squares, STEP)[rows]
    guesses = {
        "har": forecast,
        "ewma": exponential_mean(squares, 0.94)[rows],
        "mean": np.cumsum(squares)[rows] / np.arange(1, len(squares) + 1)[rows],
    }
    return {
        name: float((came / guess - np.log(came / guess) - 1.0).mean()) for name, guess in guesses.items()
    }


def _at_least(name: str, value: float, *, bound: float) -> Row:
    return within(name, Figure(value, "ratio", is_lower_better=False), bound=bound)


def _rows_of(market: Market) -> list[Row]:
    found = []
    for horizon, least in ((21, 0.12), (5, 0.14)):
        score = falls(market, horizon=horizon)[0.05]
        name = f"skill.{market.name}.fall_0.05_in_{horizon}d"
        found.append(_at_least(f"{name}.brier_skill", score.skill, bound=least))
        found.append(_at_least(f"{name}.brier_skill_low90", score.low, bound=0.0))
        found.append(within(f"{name}.calibration_error", Figure(score.ece, "ratio"), bound=0.05))
    found.append(_at_least(f"skill.{market.name}.up_21d.brier_skill", direction(market).skill, bound=-0.005))
    forecast, held = forecasts(market)
    loss = qlike(market, forecast)
    found.append(
        _at_least(f"skill.{market.name}.variance.qlike_skill", 1 - loss["har"] / loss["mean"], bound=0.6)
    )
    figure = Figure(loss["har"], "qlike")
    name = f"skill.{market.name}.variance.qlike"
    found.append(against(name, figure, peer="EWMA 0.94", peer_value=loss["ewma"], least_ratio=1.2))
    miss = Figure(abs(float(held.mean()) - 0.9), "ratio")
    found.append(within(f"skill.{market.name}.range90.coverage_error", miss, bound=0.03))
    worst = float(np.convolve(held, np.ones(504) / 504, mode="valid").min())
    found.append(_at_least(f"skill.{market.name}.range90.worst_2y_coverage", worst, bound=0.8))
    return found


def rows() -> list[Row]:
    """Judge both indices."""
    return [row for name in ("SPX", "IXIC") for row in _rows_of(load(name))]
