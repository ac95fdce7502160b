"""Walk-forward skill of the odds, ranges and volatility on the recorded indices, 2004-2018.

Every 21 sessions the models are refitted on what was known then, exactly as `recommend`
would, and judged on the sessions that follow. Run `python -m benchmarks.odds_skill`; prints one
JSON list. Reads recorded bars only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from home.paths import Home
from market_data.source import latest_as_of, snapshot
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.features.risk_frame import RiskFrame, risk_frame
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


def brier(odds: FloatArray, base: FloatArray, came: FloatArray, *, horizon: int) -> dict[str, Any]:
    """Return the Brier skill with a 90 % circular block bootstrap interval, and the ECE."""
    loss, base_loss = (odds - came) ** 2, (base - came) ** 2
    count, length = len(loss), 3 * horizon
    generator = np.random.default_rng(0)
    starts = generator.integers(0, count, size=(REPEATS, -(-count // length)))
    rows = (starts[:, :, None] + np.arange(length)) % count
    skills = 1.0 - loss[rows].sum(axis=(1, 2)) / base_loss[rows].sum(axis=(1, 2))
    bins = np.minimum((odds * BINS).astype(int), BINS - 1)
    gaps = [abs(float((odds - came)[bins == each].sum())) for each in range(BINS)]
    return {
        "brier_skill": round(1.0 - float(loss.sum() / base_loss.sum()), 4),
        "ci90": [round(float(edge), 4) for edge in np.quantile(skills, (0.05, 0.95))],
        "ece": round(sum(gaps) / count, 4),
        "n": count,
    }


def falls(market: Market, *, horizon: int) -> list[dict[str, Any]]:
    """Judge the odds of a fall, without and with the gate that falls back to the base rate."""
    lines, close = market.frame.log_variance, market.bars.close
    free, gated, bases, outcomes = [], [], [], []
    for start in range(market.first, len(close) - horizon, STEP):
        stop = min(start + STEP, len(close) - horizon)
        fold = Fold(known=start - horizon, start=start, stop=stop)
        odds, base, came = walk_forward(lines, close, horizon=horizon, fold=fold)
        is_open = drop_odds(lines[:start], close[:start], horizon=horizon).has_skill
        free.append(odds)
        gated.append(odds if is_open else base)
        bases.append(base)
        outcomes.append(came)
    results = []
    for column, threshold in enumerate(THRESHOLDS):
        base, came = np.vstack(bases)[:, column], np.vstack(outcomes)[:, column]
        for kind, odds in (("model", free), ("as_recommended", gated)):
            score = brier(np.vstack(odds)[:, column], base, came, horizon=horizon)
            name = f"p_drop.{market.name}.f{threshold}.d{horizon}.{kind}"
            results.append({"name": name, **score})
    return results


def direction(market: Market) -> dict[str, Any]:
    """Judge p_up as recommended against its own base rate."""
    close, features = market.bars.close, direction_features(market.bars, market.frame.log_variance)
    came = log_return_ahead(close, STEP) > 0.0
    answers, rows, opened = [], [], 0
    for row in range(market.first, len(close) - STEP, STEP):
        answer = up_odds(features[: row + 1], close[: row + 1], horizon=STEP)
        answers.append((answer.value, answer.baseline))
        rows.append(row)
        opened += answer.has_skill
    odds, base = np.array(answers).T
    score = brier(odds, base, came[rows].astype(float), horizon=1)
    return {"name": f"p_up.{market.name}.d{STEP}", **score, "share_open": round(opened / len(rows), 3)}


def volatility(market: Market) -> list[dict[str, Any]]:
    """Judge the variance forecast by QLIKE, and the ranges by coverage."""
    close, returns = market.bars.close, log_returns(market.bars.close)
    squares = returns**2
    forecast = np.full(len(close), np.nan)
    covered: dict[float, list[float]] = {}
    ahead = np.expm1(log_return_ahead(close, STEP))
    for start in range(market.first, len(close), STEP):
        model = fit_har(market.frame, returns, horizon=STEP, until=start)
        every = np.full(len(close), np.nan)
        every[252:] = model.forecast(market.frame.log_variance[252:])
        forecast[start : start + STEP] = every[start : start + STEP]
        for row in range(start, min(start + STEP, len(close) - STEP)):
            for each in return_ranges(close[: row + 1], every[: row + 1], horizon=STEP):
                covered.setdefault(each.level, []).append(float(each.low <= ahead[row] <= each.high))
    rows = slice(market.first, len(close) - STEP)
    came = mean_ahead(squares, STEP)[rows]
    mean = np.cumsum(squares)[rows] / np.arange(1, len(close) + 1)[rows]
    ewma = exponential_mean(squares, 0.94)[rows]
    losses = {
        name: float((came / guess - np.log(came / guess) - 1.0).mean())
        for name, guess in (("har", forecast[rows]), ("ewma", ewma), ("mean", mean))
    }
    result = {"name": f"variance.{market.name}.d{STEP}", "qlike": {k: round(v, 4) for k, v in losses.items()}}
    result["qlike_skill_mean"] = round(1.0 - losses["har"] / losses["mean"], 4)
    result["qlike_vs_ewma"] = round(1.0 - losses["har"] / losses["ewma"], 4)
    window = 504
    ranges = [
        {
            "name": f"interval.{market.name}.l{level}",
            "coverage": round(float(np.mean(hits)), 4),
            "worst_2y_coverage": round(
                float(np.convolve(hits, np.ones(window) / window, mode="valid").min()), 4
            ),
        }
        for level, hits in covered.items()
    ]
    return [result, *ranges]


def main() -> None:
    """Judge both indices and print the figures."""
    results: list[dict[str, Any]] = []
    for name in ("SPX", "IXIC"):
        market = load(name)
        results += [*falls(market, horizon=21), *falls(market, horizon=5), direction(market)]
        results += volatility(market)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
