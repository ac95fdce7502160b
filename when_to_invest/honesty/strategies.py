"""Strategies and our own features as subjects of the audit.

Stage: honesty (pure). A strategy is audited inside the backtest engine, so engine, costs and
strategy are on trial together: what it aimed at, held and owned at each close.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.backtest.engine import run_events
from when_to_invest.backtest.strategy import Strategy
from when_to_invest.backtest.terms import Terms
from when_to_invest.backtest.trial import make_trial
from when_to_invest.backtest.view import MarketView
from when_to_invest.features.daily import daily_bars
from when_to_invest.features.risk_frame import risk_frame
from when_to_invest.honesty.subjects import Subject
from when_to_invest.instruments import Instrument
from when_to_invest.market import BarSeries, Snapshot, closed_at
from when_to_invest.signals.trend import direction_features

if TYPE_CHECKING:
    from when_to_invest.honesty.subjects import Values

FEATURES: Final = "features"


class _Listener:
    """Passes the question on and keeps each answer; NaN stands for "leave things as they are"."""

    def __init__(self, strategy: Strategy) -> None:
        self.name = strategy.name
        self.answers: list[float] = []
        self._strategy = strategy

    def decide(self, view: MarketView) -> float | None:
        answer = self._strategy.decide(view)
        self.answers.append(float("nan") if answer is None else float(answer))
        return answer


@dataclass(frozen=True)
class _Backtested:
    """Runs a new strategy on the bars given and returns target, exposure and equity at each close."""

    make: Callable[[], Strategy]
    instrument: Instrument
    terms: Terms

    def __call__(self, bars: BarSeries) -> Values:
        import numpy as np

        listener = _Listener(self.make())
        course = run_events(listener, make_trial(snapshot_of(self.instrument, bars), terms=self.terms))
        return np.column_stack((listener.answers, course.exposure, course.equity))


@dataclass(frozen=True)
class _Featured:
    """Computes what volatility forecast, drop odds and direction learn from, on daily bars."""

    instrument: Instrument

    def __call__(self, bars: BarSeries) -> Values:
        import numpy as np

        daily = daily_bars(snapshot_of(self.instrument, bars))
        frame = risk_frame(daily)
        return np.column_stack((frame.log_variance, direction_features(daily, frame.log_variance)))


def strategy_subject(
    name: str, make: Callable[[], Strategy], *, instrument: Instrument, terms: Terms
) -> Subject:
    """Return a strategy inside the engine as a subject; `make` returns a new one for each run."""
    pipeline = _Backtested(make, instrument, terms)
    return Subject(name, pipeline, columns=("target", "exposure", "equity"))


def features_subject(instrument: Instrument) -> Subject:
    """Return the features of the live analysis as a subject; for daily bars only."""
    return Subject(FEATURES, _Featured(instrument))


def snapshot_of(instrument: Instrument, bars: BarSeries) -> Snapshot:
    """Return the snapshot at the close of the newest bar."""
    at = closed_at(bars.opened_at(-1), interval=instrument.interval, session=instrument.session)
    return Snapshot(instrument=instrument, as_of=at, bars=bars)
