"""What the market server says of the past: a strategy's, and that of its own recommendations.

Shell around pure work that takes seconds. Every bar and every record is a step of the call's
watch. It must never look past the home's clock, nor write anything but the trials that it ran.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from tool_servers.market.desk import Analyst
from tool_servers.market.past_answers import (
    BacktestAnswer,
    OddsRow,
    PeriodRow,
    RangeRow,
    RunFigures,
    ScorecardAnswer,
    StrategyName,
)
from tool_servers.watch import Watch
from when_to_invest.canonical import utc_text
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.backtest.figures import Figures
    from when_to_invest.backtest.report import Backtest
    from when_to_invest.backtest.strategy import Strategy
    from when_to_invest.backtest.trial import Trial
    from when_to_invest.backtest.view import MarketView
    from when_to_invest.evaluation.scorecard import Group, OddsTally, Scorecard

AT_ONCE: Final = 2
"""More backtests at once would only slow each other down."""
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """First and last day as a caller wrote them; None is the first and the newest bar."""

    start: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Historian:
    """Answers about the past of one home, few at a time."""

    analyst: Analyst
    _room: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    def backtest(
        self, instrument: str, strategy: StrategyName, *, span: Span, fee_bps: float, watch: Watch
    ) -> BacktestAnswer:
        """Run a strategy over the bars that opened within `span` and had closed by the home's clock.

        Raises:
            Fault: what `Analyst.moment` and `make_trial` raise, `rate_limited`, `time_limit`.
        """
        from when_to_invest.backtest.named import named_strategy
        from when_to_invest.backtest.report import run_backtest

        with self._place():
            trial = self._trial(instrument, span, fee_bps)
            named = named_strategy(strategy.value, instrument=trial.snapshot.instrument)
            watched = _Watched(named.make(), watch, total=len(trial) - trial.first)
            result = run_backtest(watched, trial, plans_steps=named.plans_steps)
            return _backtest_answer(self._written_down(result, trial, design_trials=named.design_trials))

    def scorecard(self, instrument: str | None, as_of: str | None, *, watch: Watch) -> ScorecardAnswer:
        """Score what was recommended for `instrument`, or at all, against what came until `as_of`.

        Raises:
            Fault: `unknown_instrument`, `bad_argument`, `rate_limited`, `time_limit`.
        """
        from market_data.catalogue import instrument as known
        from market_data.scorecard import scorecard

        home = self.analyst.home
        if instrument is not None:
            known(home, instrument)
        with self._place():
            now = self.analyst.present(as_of)
            found = scorecard(home, now=now, instrument=instrument, step=watch.step)
        return _scorecard_answer(found, instrument)

    def _trial(self, instrument: str, span: Span, fee_bps: float) -> Trial:
        from market_data.source import parse_as_of
        from when_to_invest.backtest.terms import Terms
        from when_to_invest.backtest.trial import make_trial

        seen, first = self.analyst.snapshot(instrument, span.end), 0
        if span.start is not None:
            day = datetime.combine(parse_as_of(span.start).date(), time(), tzinfo=UTC)
            first = int(seen.bars.opened_us.searchsorted(int(day.timestamp()) * _SECOND_US))
        return make_trial(seen, first=first, terms=Terms(fee_bps))

    def _written_down(self, result: Backtest, trial: Trial, *, design_trials: int) -> Backtest:
        """Write the run down as a trial; return it deflated by every trial that the home knows."""
        from compute.code import code_fingerprint
        from home.trial_file import recorder
        from when_to_invest.backtest.luck import charged, excess_of, looked_at, run_of

        run = run_of(result.strategy, trial, settings={}, code_version=code_fingerprint())
        record = recorder(self.analyst.home, data_as_of=trial.snapshot.as_of)
        ledger = record((looked_at(trial, run, excess=excess_of(result)),))
        return charged(result, ledger, design_trials=design_trials)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise Fault(
                ErrorCode.RATE_LIMITED,
                f"{AT_ONCE} questions about the past are being worked on",
                fix="ask again in a few seconds",
            )
        try:
            yield
        finally:
            self._room.release()


class _Watched:
    """A strategy whose every answer is a step of a watched call."""

    def __init__(self, strategy: Strategy, watch: Watch, *, total: int) -> None:
        self.name = strategy.name
        self.note = str(getattr(strategy, "note", ""))
        self._strategy = strategy
        self._watch = watch
        self._total = total
        self._asked = 0

    @property
    def abstentions(self) -> int:
        """How often the strategy had no advice."""
        return int(getattr(self._strategy, "abstentions", 0))

    def decide(self, view: MarketView) -> float | None:
        """Return the strategy's answer, if the call is to go on."""
        self._watch.step(min(self._asked, self._total), self._total)
        self._asked += 1
        return self._strategy.decide(view)


def _backtest_answer(result: Backtest) -> BacktestAnswer:
    course = result.course
    return BacktestAnswer(
        strategy=StrategyName(result.strategy),
        instrument=result.instrument,
        start=utc_text(course.opened_at(0)),
        end=utc_text(course.opened_at(-1)),
        bars=len(course),
        fee_bps=result.terms.fee_bps,
        result=_run(result.figures),
        buy_and_hold=_run(result.buy_and_hold),
        equal_exposure=_run(result.constant_mix),
        timing_annual_ratio=result.timing.annual,
        timing_t=result.timing.t,
        trials=result.trials or 0,
        deflated_sharpe=result.deflated_sharpe,
        periods=tuple(
            PeriodRow(
                start=utc_text(part.start),
                end=utc_text(part.end),
                return_ratio=part.total_return,
                buy_and_hold_return_ratio=part.buy_and_hold_return,
                is_behind=part.is_behind,
            )
            for part in result.parts
        ),
        notes=result.notes,
    )


def _run(figures: Figures) -> RunFigures:
    return RunFigures(
        return_ratio=figures.total_return,
        growth_annual_ratio=figures.cagr,
        sigma_annual=figures.volatility_annual,
        sharpe=figures.sharpe,
        max_drawdown_ratio=-figures.max_drawdown,
        mean_exposure_ratio=figures.mean_exposure,
        turnover_per_year=figures.turnover_per_year,
    )


def _scorecard_answer(found: Scorecard, instrument: str | None) -> ScorecardAnswer:
    group: Group | None = found.groups[0] if found.groups else None
    return ScorecardAnswer(
        instrument=instrument,
        as_of=utc_text(found.as_of),
        count=found.n,
        p_drop=() if group is None else tuple(map(_odds, group.p_drop)),
        p_up=() if group is None else tuple(map(_odds, group.p_up)),
        return_interval=()
        if group is None
        else tuple(
            RangeRow(
                level=each.level,
                horizon_days=each.horizon_days,
                count=each.n,
                coverage_ratio=each.coverage,
                why=each.why,
            )
            for each in group.interval
        ),
        notes=found.notes[:3],
    )


def _odds(tally: OddsTally) -> OddsRow:
    return OddsRow(
        threshold_ratio=tally.threshold_ratio,
        horizon_days=tally.horizon_days,
        count=tally.n,
        brier=tally.brier,
        brier_baseline=tally.brier_baseline,
        brier_skill=tally.brier_skill,
        calibration_error_ratio=tally.ece,
        why=tally.why,
    )
