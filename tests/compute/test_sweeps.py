"""A sweep tells its best with everything that was tried, and the same bytes from anywhere."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from compute.runner import Place, Runner
from compute.sweeps import Sweep, run_sweep, sweep_returns
from home.trial_file import read_trials, record_trials
from tests.compute.cluster import local_cluster
from tests.strategies.trials import walk
from when_to_invest.backtest.grid import configurations, parse_axis
from when_to_invest.backtest.sweep_report import NOT_BEYOND_LUCK, SweepReport
from when_to_invest.backtest.trial import make_trial
from when_to_invest.backtest.variants import variants_of
from when_to_invest.honesty.trials import TrialLedger, Tried

AT = datetime(2018, 1, 2, tzinfo=UTC)


def a_sweep(strategy: str, *axes: str, runner: Runner | None = None, bars: int = 600) -> Sweep:
    trial = make_trial(walk(bars, seed=5))
    grid = configurations([parse_axis(axis) for axis in axes])
    return Sweep(variants_of(strategy, grid, bars=len(trial)), trial, runner or Runner(), best=3)


def trend(runner: Runner | None = None) -> Sweep:
    return a_sweep("trend_vol", "fast=1:10:1", "slow=20:100:5", runner=runner)


def mix(runner: Runner | None = None) -> Sweep:
    return a_sweep("constant_mix", "weight=0.05:1:0.05", runner=runner)


def told(sweep: Sweep, folder: Path) -> SweepReport:
    def record(tried: tuple[Tried, ...]) -> TrialLedger:
        return record_trials(folder / "trials.jsonl", tried, at=AT)

    return run_sweep(sweep, record)


def test_every_configuration_is_a_trial(tmp_path: Path) -> None:
    found = told(trend(), tmp_path)
    assert found.configurations == found.trials == len(read_trials(tmp_path / "trials.jsonl").trials) == 170
    assert len(found.best) == 3
    assert found.pbo is not None


def test_the_same_sweep_again_tries_nothing_new(tmp_path: Path) -> None:
    assert told(trend(), tmp_path).canonical() == told(trend(), tmp_path).canonical()


def test_a_later_sweep_is_charged_for_the_earlier(tmp_path: Path) -> None:
    alone, after = tmp_path / "alone", tmp_path / "after"
    told(trend(), after)
    first, second = told(mix(), alone), told(mix(), after)
    assert (first.trials, second.trials) == (20, 190)
    assert second.hurdle_sharpe is not None
    assert first.hurdle_sharpe is not None
    assert second.hurdle_sharpe > first.hurdle_sharpe


def test_a_sweep_over_a_walk_without_drift_says_that_it_is_luck(tmp_path: Path) -> None:
    found = told(trend(), tmp_path)
    assert not found.is_beyond_luck
    assert found.verdict == NOT_BEYOND_LUCK


def test_progress_ends_with_the_last_piece() -> None:
    counts: list[tuple[int, int]] = []
    sweep_returns(trend(), progress=lambda done, total: counts.append((done, total)))
    assert counts == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 3])
def test_processes_change_no_byte(processes: int, tmp_path: Path) -> None:
    beside = Runner(Place.PROCESSES, processes=processes)
    for number, made in enumerate((trend, mix)):
        here = told(made(), tmp_path / f"here {number}")
        assert told(made(beside), tmp_path / f"beside {number}").canonical() == here.canonical()


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_changes_no_byte(tmp_path: Path) -> None:
    here = sweep_returns(mix())
    with local_cluster(workers=3) as cluster:
        victim = cluster.workers[0]

        def kill_one(done: int, total: int) -> None:
            if done == 2:
                os.kill(victim.pid, signal.SIGKILL)

        there = sweep_returns(mix(Runner(Place.DASK, scheduler=cluster.address)), progress=kill_one)
        assert victim.wait(30) == -signal.SIGKILL
        assert np.array_equal(here.view(np.uint64), there.view(np.uint64))
        on_two = Runner(Place.DASK, scheduler=cluster.address)
        assert (
            told(trend(on_two), tmp_path / "there").canonical()
            == told(trend(), tmp_path / "here").canonical()
        )
