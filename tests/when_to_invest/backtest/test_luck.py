"""A backtest's Sharpe ratio knows what was tried, and its trial what was run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.strategies.trials import walk
from when_to_invest.backtest.luck import charged, excess_of, looked_at, run_of
from when_to_invest.backtest.named import NAMED
from when_to_invest.backtest.report import UNKNOWN_TRIALS, Backtest, run_backtest
from when_to_invest.backtest.terms import Terms
from when_to_invest.backtest.trial import Trial, make_trial
from when_to_invest.honesty.trials import Trial as Line
from when_to_invest.honesty.trials import TrialLedger

CODE = "c" * 64
TRIAL = make_trial(walk(800, seed=3))


def ran(trial: Trial = TRIAL, strategy: str = "trend_vol") -> Backtest:
    named = NAMED[strategy]
    return run_backtest(named.make(), trial, plans_steps=named.plans_steps)


def identity(trial: Trial = TRIAL, **settings: object) -> str:
    return run_of("trend_vol", trial, settings=settings, code_version=CODE).identity()


def ledger_of(count: int) -> TrialLedger:
    ledger = TrialLedger()
    for number in range(count):
        ledger = ledger.append(
            Line(
                id=f"t-{number}",
                at=datetime(2018, 1, 1, tzinfo=UTC),
                family="strategies",
                instrument="FAKE",
                parameters_hash=f"{number:064x}",
                sharpe_per_bar=0.01,
                bars=800,
                previous=ledger.head,
            )
        )
    return ledger


@pytest.mark.parametrize(
    "other",
    [
        identity(make_trial(walk(800, seed=4))),
        identity(make_trial(walk(800, seed=3), first=1)),
        identity(make_trial(walk(800, seed=3), terms=Terms(fee_bps=6.0))),
        identity(make_trial(walk(800, seed=3), arrival_months=3)),
        identity(every=5),
        run_of("vol_target", TRIAL, settings={}, code_version=CODE).identity(),
        run_of("trend_vol", TRIAL, settings={}, code_version="d" * 64).identity(),
    ],
    ids=["bars", "period", "terms", "arrivals", "settings", "strategy", "code"],
)
def test_whatever_changes_a_run_makes_it_another_trial(other: str) -> None:
    assert other != identity()


def test_the_same_bars_looked_at_later_are_the_same_trial() -> None:
    seen = walk(800, seed=3)
    later = replace(seen, as_of=seen.as_of + timedelta(days=1))
    assert later.hash != seen.hash
    assert identity(make_trial(later)) == identity()


def test_every_trial_and_every_design_makes_it_less_believable() -> None:
    result = ran()
    chances = [
        charged(result, ledger_of(count), design_trials=design).deflated_sharpe
        for count, design in ((1, 0), (9, 0), (9, 60), (200, 60))
    ]
    assert all(each is not None for each in chances)
    assert chances == sorted(chances, reverse=True, key=lambda each: each or 0.0)
    assert len(set(chances)) == len(chances)


def test_a_charged_run_says_how_many_instead_of_that_nobody_knows() -> None:
    found = charged(ran(), ledger_of(3), design_trials=60)
    assert found.trials == 63
    assert UNKNOWN_TRIALS not in found.notes
    assert any("63 trials are charged" in note for note in found.notes)


def test_what_never_moved_is_a_trial_without_a_figure() -> None:
    flat = make_trial(walk(20, seed=3))
    run = run_of("dca", flat, settings={}, code_version=CODE)
    known = looked_at(flat, run, excess=excess_of(ran(flat, "sma200_band")))
    assert (known.sharpe_per_bar, known.bars) == (0.0, 20)
    assert known.run is not None
    assert known.run.kurtosis is None
