"""Evaluations: every figure has a basis, or is unknown with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from home.paths import Home
from market_data.source import latest_as_of, snapshot
from tests.fakes.fake_bars import daily_snapshot, series, snapshot_of, weekdays
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.evaluation.basis import is_frozen
from when_to_invest.evaluation.evaluate import Judged, evaluate
from when_to_invest.evaluation.forecast_scores import drop_scores, interval_scores, up_score, variance_score
from when_to_invest.evaluation.report import Evaluation
from when_to_invest.evaluation.targets import FIGURES, promised
from when_to_invest.features.daily import daily_bars
from when_to_invest.market import BarSeries, Snapshot

KEYS = {
    "instrument", "start", "end", "n", "variance", "p_drop", "interval", "p_up", "overlay", "deployment",
}  # fmt: skip


@cache
def judged() -> Judged:
    return evaluate(daily_snapshot(1600, seed=7))


@cache
def us_market() -> Judged:
    home = Home(Path("nowhere"))
    seen = snapshot(home, "USMKT", as_of=latest_as_of(home, "USMKT"))
    return evaluate(seen, start=date(1930, 1, 1), end=date(2017, 12, 31))


def test_an_evaluation_has_every_promised_key() -> None:
    answer = judged().evaluation.model_dump(mode="json")
    assert answer.keys() >= KEYS
    assert answer["variance"].keys() == {"qlike_skill_mean", "qlike_vs_ewma"}
    assert all(
        row.keys() >= {"threshold_ratio", "horizon_days", "brier_skill", "ci90", "ece", "n"}
        for row in answer["p_drop"]
    )
    assert all(
        row.keys() >= {"level", "coverage", "worst_2y_coverage", "pinball_skill"}
        for row in answer["interval"]
    )
    assert answer["p_up"].keys() >= {"brier_skill", "ci90", "has_skill"}
    assert answer["overlay"].keys() >= {
        "sharpe", "sharpe_buy_hold", "max_drawdown_ratio", "max_drawdown_buy_hold_ratio",
        "turnover_per_year", "deflated_sharpe", "trials",
    }  # fmt: skip
    assert answer["deployment"].keys() >= {"vs_dca_pp", "vs_lump_pp", "es5_vs_lump_pp"}


def test_it_survives_the_journey_through_json() -> None:
    found = judged().evaluation
    assert Evaluation.model_validate_json(found.model_dump_json()) == found


def test_the_same_history_gives_the_same_evaluation() -> None:
    again = evaluate(daily_snapshot(1600, seed=7)).evaluation
    assert again.canonical() == judged().evaluation.canonical()


def test_forecasts_of_persistent_volatility_have_skill_and_those_of_its_direction_none() -> None:
    found = judged().evaluation
    assert found.variance.qlike_skill_mean is not None
    assert found.variance.qlike_skill_mean > 0.0
    assert not found.p_up.has_skill


def test_an_outcome_that_is_not_over_is_never_counted() -> None:
    found, made = judged().evaluation, judged().forecasts
    assert made is not None
    assert [row.n for row in found.p_drop if row.horizon_days == 63] == [len(made) - 63] * 3
    assert [row.n for row in found.p_drop if row.horizon_days == 5] == [len(made) - 5] * 3


def test_fewer_than_thirty_outcomes_give_no_statistic_but_a_reason() -> None:
    made = judged().forecasts
    assert made is not None
    columns = {
        name: getattr(made, name)[: 29 + 21]
        for name in made.__slots__
        if isinstance(getattr(made, name), np.ndarray)
    }
    few = replace(made, **columns)
    few.drop_came[29:, 1:] = few.up_came[29:] = few.return_came[29:] = few.variance_came[29:] = np.nan
    notes: list[str] = []
    assert variance_score(few, notes).qlike_skill_mean is None
    assert [row.brier_skill for row in drop_scores(few, notes) if row.horizon_days == 21] == [None] * 3
    assert [row.coverage for row in interval_scores(few, notes)] == [None] * 3
    assert up_score(few, notes).brier_skill is None
    few_notes = [note for note in notes if "are too few" in note and "63 d" not in note]
    assert few_notes
    assert all("29 outcomes" in note for note in few_notes)


def test_outcomes_that_overlap_too_much_give_no_interval_and_no_claim_of_skill() -> None:
    found = evaluate(daily_snapshot(1600, seed=7), start=date(2015, 6, 1)).evaluation
    rows = [row for row in found.p_drop if row.horizon_days == 63]
    assert all(row.n >= 30 and row.ci90 == (None, None) for row in rows)
    assert found.p_up.ci90 == (None, None)
    assert not found.p_up.has_skill
    assert any("overlap too much" in note for note in found.notes)


def test_a_history_of_which_nothing_can_be_said_is_refused_with_the_reason() -> None:
    with pytest.raises(Fault, match="504 days of history") as caught:
        evaluate(daily_snapshot(300))
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


def _flat_from(row: int, count: int = 1500) -> Snapshot:
    bars = series(weekdays(count), seed=7)
    at = np.minimum(np.arange(count), row)
    prices = dict.fromkeys(("open", "high", "low", "close"), bars.close[at])
    return snapshot_of(replace(bars, **prices))


def test_a_price_that_never_moves_is_refused() -> None:
    with pytest.raises(Fault, match="had not moved for 10 days") as caught:
        evaluate(_flat_from(0))
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


def test_days_of_a_frozen_price_are_never_judged() -> None:
    found = evaluate(_flat_from(1100), start=date(2013, 1, 1))
    assert found.forecasts is not None
    assert int(found.forecasts.row[-1]) == 1100 + 8
    assert found.evaluation.n == len(found.forecasts)
    assert found.evaluation.overlay.sharpe is None
    assert any("the close had not moved for 10 days" in note for note in found.evaluation.notes)


def test_what_is_frozen_is_what_the_live_code_calls_frozen() -> None:
    bars = daily_bars(_flat_from(30, 60))
    expected = [at >= 9 and bool((bars.close[at - 9 : at + 1] == bars.close[at]).all()) for at in range(60)]
    assert is_frozen(bars).tolist() == expected


def test_days_that_rest_on_a_split_are_never_judged_nor_held_through() -> None:
    bars = series(weekdays(1600), seed=7)
    scale = np.where(np.arange(1600) < 1000, 1.0, 0.1)
    split = replace(bars, **{name: getattr(bars, name) * scale for name in ("open", "high", "low", "close")})
    found = evaluate(snapshot_of(split))
    assert found.forecasts is not None
    assert not ((found.forecasts.row >= 1000 - 63) & (found.forecasts.row < 1252)).any()
    assert {1000 - 64, 1252} <= set(found.forecasts.row.tolist())
    assert found.evaluation.overlay.sharpe is found.evaluation.deployment.vs_dca_pp is None
    assert any("nobody could have held through" in note for note in found.evaluation.notes)


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (date(2030, 1, 1), None, "no bar"),
        (None, date(1999, 1, 1), "no bar"),
        (date(2014, 1, 1), date(2013, 1, 1), "ends before it starts"),
    ],
)
def test_a_period_without_bars_is_refused(start: date | None, end: date | None, why: str) -> None:
    with pytest.raises(Fault, match=why) as caught:
        evaluate(daily_snapshot(1600, seed=7), start=start, end=end)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_closes_alone_are_enough() -> None:
    bars = series(weekdays(1400), seed=3)
    unknown = np.full(1400, np.nan)
    known = snapshot_of(bars).instrument.model_copy(update={"has_range": False, "has_volume": False})
    closes = BarSeries(bars.opened_us, unknown, unknown, unknown, bars.close, unknown)
    found = evaluate(snapshot_of(closes, known)).evaluation
    assert found.variance.qlike_skill_mean is not None
    assert found.overlay.sharpe is not None


def test_judging_can_be_narrowed_to_a_period() -> None:
    found = evaluate(daily_snapshot(1600, seed=7), start=date(2014, 1, 1), end=date(2014, 12, 31)).evaluation
    assert (found.start, found.end) == ("2014-01-01", "2014-12-31")
    assert 250 <= found.n <= 262


def test_months_give_position_and_deployment_and_no_odds_over_days() -> None:
    found = us_market().evaluation
    assert found.variance.qlike_skill_mean is None
    assert found.n == found.deployment.n == 1056
    assert found.overlay.sharpe is not None
    assert "monthly" in found.notes[0]


def test_deployment_over_88_years_keeps_its_promises() -> None:
    found = us_market().evaluation
    read = {target.name: target.read(found) for target in FIGURES}
    for target in promised("USMKT"):
        value = read[target.name]
        assert value is not None
        assert target.is_met(value), target.name


def test_the_position_says_in_which_years_it_lost() -> None:
    periods = us_market().evaluation.overlay.periods
    assert [each.start[:4] for each in periods] == [str(year) for year in range(1930, 2018, 10)]
    assert any(each.is_lost for each in periods)
    assert all(
        each.is_lost == (each.sharpe < each.sharpe_buy_hold)
        for each in periods
        if each.sharpe is not None and each.sharpe_buy_hold is not None
    )


@pytest.mark.parametrize("instrument", ["SPX", "IXIC", "USMKT"])
def test_every_promise_bounds_a_figure(instrument: str) -> None:
    rows = promised(instrument)
    assert rows
    assert all(row.least is not None or row.most is not None for row in rows)
    assert not promised("BTC/USDT")


def test_doubling_every_price_changes_no_figure() -> None:
    seen = daily_snapshot(1600, seed=7)
    bars = seen.bars
    doubled = BarSeries(
        bars.opened_us, bars.open * 2, bars.high * 2, bars.low * 2, bars.close * 2, bars.volume
    )
    assert evaluate(Snapshot(seen.instrument, seen.as_of, doubled)).evaluation == judged().evaluation
