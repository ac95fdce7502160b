"""The live pipeline under audit: asked between closes, with the future there, gone and changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
import pytest

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.canaries.practice import practice_series
from when_to_invest.honesty.decisions import Decide, audit_decisions
from when_to_invest.honesty.lookahead import Audit, Kind
from when_to_invest.market import BarSeries

SERIES = practice_series()
SESSION = timedelta(hours=21)


def closed(bar: int) -> datetime:
    return SERIES.opened_at(bar) + SESSION


def known(bars: BarSeries, as_of: datetime) -> BarSeries:
    return bars.between(0, sum(bars.opened_at(row) + SESSION <= as_of for row in range(len(bars))))


def honest(bars: BarSeries, as_of: datetime) -> Mapping[str, object]:
    seen = known(bars, as_of)
    return {"close": float(seen.close[-1]), "parts": [{"mean": float(seen.close.mean())}]}


def run(decide: Decide, *, cuts: int = 8) -> Audit:
    return audit_decisions("decision", decide, SERIES, known_from=closed, cuts=cuts)


def test_an_honest_pipeline_is_clean() -> None:
    found = run(honest)
    assert found.is_clean
    assert len(found.cuts) == 8


def test_a_leak_deep_inside_an_answer_is_named() -> None:
    def leaky(bars: BarSeries, as_of: datetime) -> Mapping[str, object]:
        return {**honest(bars, as_of), "parts": [{"mean": float(bars.close.mean())}]}

    found = run(leaky)
    assert {finding.kind for finding in found.findings} == {Kind.TRUNCATION, Kind.FUTURE}
    assert {finding.column for finding in found.findings} == {"parts[0].mean"}
    assert all(finding.with_future != finding.without_future for finding in found.findings)


def test_the_bar_under_way_may_not_be_used() -> None:
    def hasty(bars: BarSeries, as_of: datetime) -> Mapping[str, object]:
        opened = sum(bars.opened_at(row) <= as_of for row in range(len(bars)))
        return {"close": float(bars.close[opened - 1])}

    assert not run(hasty, cuts=30).is_clean


def test_a_field_that_appears_only_with_the_future_is_a_leak() -> None:
    def chatty(bars: BarSeries, as_of: datetime) -> Mapping[str, object]:
        seen = known(bars, as_of)
        return {"hint": 1} if len(bars) > len(seen) else {}

    found = run(chatty)
    assert {(finding.with_future, finding.without_future) for finding in found.findings} == {("1", "None")}


def test_moods_are_told_from_leaks() -> None:
    chance = np.random.default_rng(0)
    found = run(lambda bars, as_of: {"mood": float(chance.random())})
    assert Kind.UNREPEATABLE in {finding.kind for finding in found.findings}


def test_an_abstention_that_depends_on_the_future_is_a_leak() -> None:
    def shy(bars: BarSeries, as_of: datetime) -> Mapping[str, object]:
        if len(bars) < len(SERIES):
            raise Fault(ErrorCode.STALE_DATA, "too old", fix="wait")
        return honest(bars, as_of)

    assert {finding.column for finding in run(shy).findings} == {"close"}


def test_abstaining_always_is_no_clean_bill_and_other_faults_pass() -> None:
    for code, raised in (
        (ErrorCode.STALE_DATA, ErrorCode.HISTORY_TOO_SHORT),
        (ErrorCode.CORRUPT_DATA, ErrorCode.HISTORY_TOO_SHORT),
        (ErrorCode.BAD_ARGUMENT, ErrorCode.BAD_ARGUMENT),
    ):

        def refuses(bars: BarSeries, as_of: datetime, code: ErrorCode = code) -> Mapping[str, object]:
            raise Fault(code, "no", fix="none")

        with pytest.raises(Fault) as caught:
            run(refuses)
        assert caught.value.code is raised


def test_an_audit_without_a_cut_is_refused() -> None:
    with pytest.raises(Fault) as caught:
        run(honest, cuts=0)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT
