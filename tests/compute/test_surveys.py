"""A survey judges each instrument by itself, with the same bytes from anywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from compute.runner import Place, Runner
from compute.surveys import Period, run_survey
from tests.strategies.trials import walk
from when_to_invest.errors import Fault
from when_to_invest.evaluation.evaluate import evaluate
from when_to_invest.evaluation.report import Evaluation
from when_to_invest.market import BarSeries, Snapshot

NAMES = ("AAA", "BBB", "CCC")
PERIOD = Period(start=date(2012, 6, 1))


def snapshots(bars: int = 900) -> dict[str, Snapshot]:
    found = {}
    for seed, name in enumerate(NAMES):
        made = walk(bars, seed=seed)
        found[name] = replace(made, instrument=made.instrument.model_copy(update={"id": name}))
    return found


def damaged(seen: Snapshot) -> Snapshot:
    close = seen.bars.close.copy()
    close[100] = -1.0
    bars = seen.bars
    return replace(seen, bars=BarSeries(bars.opened_us, bars.open, bars.high, bars.low, close, bars.volume))


def test_what_cannot_be_judged_does_not_end_the_survey() -> None:
    found = run_survey(snapshots() | {"BBB": damaged(snapshots()["BBB"])}, period=PERIOD, runner=Runner())
    assert [type(each) for each in found.values()] == [Evaluation, Fault, Evaluation]


def test_each_is_judged_as_it_would_be_alone() -> None:
    made = snapshots()
    found = run_survey(made, period=PERIOD, runner=Runner())
    assert found["CCC"] == evaluate(made["CCC"], start=PERIOD.start).evaluation
    assert np.isfinite([each.n for each in found.values() if isinstance(each, Evaluation)]).all()


@pytest.mark.slow
def test_processes_change_no_byte() -> None:
    made = snapshots()
    here = run_survey(made, period=PERIOD, runner=Runner())
    beside = run_survey(made, period=PERIOD, runner=Runner(Place.PROCESSES, processes=2))
    assert [each.canonical() for each in beside.values() if isinstance(each, Evaluation)] == [
        each.canonical() for each in here.values() if isinstance(each, Evaluation)
    ]
    assert list(beside) == list(NAMES)
