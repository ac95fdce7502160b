from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from home.paths import Home
from market_data.source import parse_as_of, snapshot
from tests.fakes.fake_bars import series, snapshot_of, weekdays
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action, Recommendation


def _at(day: str) -> Recommendation:
    return recommend(snapshot(Home(Path("unused")), "SPX", as_of=parse_as_of(day)))


@pytest.mark.parametrize("day", ["2004-06-01", "2008-10-15", "2013-05-01", "2017-06-30", "2018-12-24"])
def test_every_counterfactual_names_another_action_and_is_not_true_yet(day: str) -> None:
    made = _at(day)
    values = {item.id: item.value for item in made.evidence}
    assert made.counterfactuals
    for each in made.counterfactuals:
        assert each.action is not made.action
        assert not all(condition.holds(values[condition.metric]) for condition in each.when)


def test_a_calm_rising_market_would_be_entered_in_steps_after_a_shock() -> None:
    made = _at("2017-06-30")
    assert made.action is Action.INVEST_NOW
    shocked = [each for each in made.counterfactuals if each.when[0].metric == "breaker.one_day_fall"]
    assert [each.action for each in shocked] == [Action.STAGE]
    halted = [each for each in made.counterfactuals if each.when[0].metric == "breaker.halt_level_1"]
    assert [each.action for each in halted] == [Action.WAIT]


@pytest.mark.parametrize(("power", "is_possible"), [(1.0, True), (3.0, False)])
def test_no_condition_asks_for_odds_that_nothing_can_have(power: float, *, is_possible: bool) -> None:
    tame = series(weekdays(1500), seed=1)
    prices = {name: getattr(tame, name) ** power for name in ("open", "high", "low", "close")}
    made = recommend(snapshot_of(replace(tame, **prices)))
    values = {item.id: item.value for item in made.evidence}
    told = [*made.invalidation, *(each for known in made.counterfactuals for each in known.when)]
    assert (values["drop_odds.f05_d21.baseline"] < 0.5) is is_possible
    assert all(0.0 < each.value < 1.0 for each in told if each.metric.startswith("drop_odds."))
