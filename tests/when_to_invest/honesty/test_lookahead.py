"""The audit finds what looks ahead, and names where; it leaves the honest alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.canaries import learning, registry
from when_to_invest.honesty.canaries.controls import CONTROLS, exponential_mean
from when_to_invest.honesty.canaries.practice import practice_series
from when_to_invest.honesty.canaries.registry import CANARIES
from when_to_invest.honesty.lookahead import Kind, audit
from when_to_invest.honesty.subjects import KnownAt, Subject
from when_to_invest.market import BarSeries

SERIES = practice_series()


@pytest.mark.parametrize("leak", CANARIES, ids=lambda leak: leak.name)
def test_a_planted_leak_is_caught(leak: Subject) -> None:
    found = audit(leak, SERIES, cuts=24, seed=1)
    assert not found.is_clean
    assert all(finding.bar <= finding.cut for finding in found.findings)


@pytest.mark.parametrize("honest", CONTROLS, ids=lambda honest: honest.name)
def test_an_honest_pipeline_is_never_flagged(honest: Subject) -> None:
    assert audit(honest, SERIES, cuts=24, seed=1).findings == ()


def test_at_least_twenty_kinds_are_planted_and_no_two_are_the_same() -> None:
    assert len({leak.name for leak in CANARIES}) == len({leak.pipeline for leak in CANARIES}) >= 20


def test_the_examination_says_what_was_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    planted, honest = CONTROLS[:2], (*CONTROLS[:1], CANARIES[0])
    monkeypatch.setattr(registry, "CANARIES", planted)
    monkeypatch.setattr(registry, "CONTROLS", honest)
    result = registry.examine(cuts=4)
    assert result.missed == tuple(each.name for each in planted)
    assert result.flagged == (CANARIES[0].name,)
    assert (result.caught, result.planted, result.honest) == (1, 3, 2)
    assert not result.is_passed


def test_a_table_of_the_future_is_noticed_though_it_ignores_the_bars() -> None:
    found = audit(learning.carried_table(SERIES), SERIES, cuts=4)
    assert {finding.kind for finding in found.findings} == {Kind.FOREKNOWLEDGE}


def test_a_finding_names_bar_cut_and_both_values() -> None:
    def peeks(bars: BarSeries) -> np.ndarray:
        values = np.zeros((len(bars), 2))
        values[100:101, 1] = bars.close[min(len(bars) - 1, 250)]
        return values

    found = audit(Subject("peeks", peeks, columns=("calm", "peek")), SERIES, cuts=30)
    first = next(finding for finding in found.findings if finding.kind is Kind.TRUNCATION)
    assert (first.bar, first.column) == (100, "peek")
    assert 100 <= first.cut < 250
    assert first.with_future == SERIES.close[250]
    assert first.without_future == SERIES.close[first.cut]
    assert first.opened_at == SERIES.opened_at(100)


def test_equal_seeds_cut_at_the_same_bars() -> None:
    honest = CONTROLS[2]
    assert audit(honest, SERIES, seed=3) == audit(honest, SERIES, seed=3)
    assert audit(honest, SERIES, seed=3).cuts != audit(honest, SERIES, seed=4).cuts


def test_the_open_may_not_know_what_only_the_close_does() -> None:
    def close_to_open(bars: BarSeries) -> np.ndarray:
        return np.sign(bars.close - bars.open)

    assert audit(Subject("at close", close_to_open), SERIES).is_clean
    assert not audit(Subject("at open", close_to_open, KnownAt.OPEN), SERIES).is_clean


def test_too_short_a_memory_is_found_and_an_ample_one_is_not() -> None:
    short = Subject("short", exponential_mean, memory_bars=8)
    ample = replace(short, memory_bars=40)
    assert {finding.kind for finding in audit(short, SERIES).findings} == {Kind.WARM_UP}
    assert audit(ample, SERIES).is_clean


def test_what_changes_from_call_to_call_is_no_audit_subject() -> None:
    chance = np.random.default_rng(0)

    def moody(bars: BarSeries) -> np.ndarray:
        return chance.random(len(bars))

    found = audit(Subject("moody", moody), SERIES)
    assert [finding.kind for finding in found.findings] == [Kind.UNREPEATABLE]


def test_a_pipeline_that_scribbles_on_its_input_harms_nobody() -> None:
    before = SERIES.close.copy()

    def scribbles(bars: BarSeries) -> np.ndarray:
        bars.close[:] = np.cumsum(bars.close)
        return bars.close

    assert audit(Subject("scribbles", scribbles), SERIES).is_clean
    assert np.array_equal(SERIES.close, before)


def abstains_below(least: int) -> Subject:
    def needs_history(bars: BarSeries) -> np.ndarray:
        if len(bars) < least:
            raise Fault(ErrorCode.HISTORY_TOO_SHORT, "too short", fix="wait")
        return bars.close

    return Subject("needs history", needs_history)


def test_cuts_at_which_it_abstains_are_counted() -> None:
    found = audit(abstains_below(200), SERIES)
    assert 0 < found.abstained < 20
    assert found.is_clean


def test_an_audit_of_abstentions_only_is_no_clean_bill() -> None:
    with pytest.raises(Fault) as caught:
        audit(abstains_below(len(SERIES)), SERIES)
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


def test_other_faults_are_not_hushed() -> None:
    def broken(bars: BarSeries) -> np.ndarray:
        if len(bars) < len(SERIES):
            raise Fault(ErrorCode.CORRUPT_DATA, "broken", fix="repair")
        return bars.close

    with pytest.raises(Fault) as caught:
        audit(Subject("broken", broken), SERIES)
    assert caught.value.code is ErrorCode.CORRUPT_DATA


@pytest.mark.parametrize("shape", [(5,), (5, 2), (0,)])
def test_one_row_a_bar_is_demanded(shape: tuple[int, ...]) -> None:
    with pytest.raises(Fault) as caught:
        audit(Subject("short", lambda _: np.zeros(shape)), SERIES)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_columns_may_not_depend_on_the_number_of_bars() -> None:
    with pytest.raises(Fault) as caught:
        audit(Subject("wide", lambda bars: np.zeros((len(bars), 1 + (len(bars) == len(SERIES))))), SERIES)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_an_audit_without_cuts_or_bars_is_refused() -> None:
    for series, cuts in ((SERIES, 0), (SERIES.between(0, 9), 5)):
        with pytest.raises(Fault):
            audit(CONTROLS[0], series, cuts=cuts)
