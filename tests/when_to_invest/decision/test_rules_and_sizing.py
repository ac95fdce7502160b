from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.decision.advice import Advice
from when_to_invest.decision.confirmation import confirm
from when_to_invest.decision.evidence import COUNT, KEY_DROP, PER_YEAR, RATIO, USD, EvidenceBook, drop_id
from when_to_invest.decision.holdings import settle
from when_to_invest.decision.invalidation import invalidations
from when_to_invest.decision.recent import day_of
from when_to_invest.decision.recommendation import Action
from when_to_invest.decision.rules import Case, Decision, decide
from when_to_invest.decision.schedule import expires_at, staged
from when_to_invest.decision.sizing import STAGED_FLOOR, TARGET_SIGMA_ANNUAL, enter_sizing, size_up
from when_to_invest.instruments import Session
from when_to_invest.risk.market_breakers import BREAKERS, BreakerReading

SNAPSHOT = daily_snapshot(60)
FRIDAY = datetime(2018, 6, 29, 21, tzinfo=UTC)


@dataclass(frozen=True)
class Market:
    """A calm, rising market; each test changes what it is about."""

    is_up: bool = True
    distance: float = 0.05
    rising: int = 3
    year: float = 0.1
    sigma: float = 0.12
    lift: float = 1.0
    on: frozenset[str] = field(default_factory=frozenset)
    has_drop_skill: bool = True

    def case(self) -> Case:
        book = EvidenceBook(SNAPSHOT)
        for name, value, unit in (
            ("trend.is_up", float(self.is_up), COUNT),
            ("trend.sma200_distance", self.distance, RATIO),
            ("trend.sma200", 100.0, USD),
            ("trend.rising_count", float(self.rising), COUNT),
            ("trend.momentum_12m", self.year, RATIO),
            ("chart.close", 100.0 * (1 + self.distance), USD),
            ("volatility.sigma_annual", self.sigma, PER_YEAR),
            ("drop_odds.lift", self.lift, RATIO),
            (drop_id(*KEY_DROP), 0.2 * self.lift, RATIO),
            (drop_id(*KEY_DROP) + ".baseline", 0.2, RATIO),
        ):
            book.add(name, value, unit=unit, by="test")
        breakers = tuple(
            BreakerReading(rule.id, rule.id in self.on, 0.0, rule.threshold, rule.cap, "later")
            for rule in BREAKERS
        )
        for breaker in breakers:
            book.add(f"breaker.{breaker.id}", breaker.value, unit=RATIO, by="test")
            book.add(f"breaker.{breaker.id}.threshold", breaker.threshold, unit=RATIO, by="test")
        return Case(book, breakers, enter_sizing(book, size_up(book, breakers)), self.has_drop_skill)

    def decide(self) -> Decision:
        return decide(self.case())


def _path(decision: Decision) -> list[tuple[str, str]]:
    return [(step.rule, step.outcome) for step in decision.steps]


DOWN = {"is_up": False, "distance": -0.08, "rising": 0, "year": -0.1}
MARKETS = st.builds(
    Market,
    is_up=st.booleans(),
    distance=st.floats(-0.5, 0.5),
    rising=st.integers(0, 3),
    year=st.floats(-0.5, 0.5),
    sigma=st.floats(0.01, 2.0),
    lift=st.floats(0, 5),
    on=st.frozensets(st.sampled_from([rule.id for rule in BREAKERS])),
    has_drop_skill=st.booleans(),
)


def test_a_calm_rising_market_is_bought_at_once() -> None:
    found = Market().decide()
    assert found.action is Action.INVEST_NOW
    assert found.size_fraction == 1.0


def test_a_wild_rising_market_is_bought_in_steps_and_smaller() -> None:
    found = Market(sigma=0.30).decide()
    assert found.action is Action.STAGE
    assert found.size_fraction == pytest.approx(TARGET_SIGMA_ANNUAL / 0.30)


def test_a_breaker_spreads_the_entry() -> None:
    found = Market(on=frozenset({"volatility_spike"})).decide()
    assert (found.action, found.size_fraction) == (Action.STAGE, 0.5)


def test_twice_the_usual_odds_of_a_fall_spread_the_entry() -> None:
    assert Market(lift=2.0).decide().action is Action.STAGE
    assert Market(lift=1.99).decide().action is Action.INVEST_NOW


def test_odds_without_skill_decide_nothing() -> None:
    found = Market(lift=4.0, has_drop_skill=False).decide()
    assert found.action is Action.INVEST_NOW
    assert ("drop_odds", "no_skill") in _path(found)


@pytest.mark.parametrize("level", ["halt_level_1", "halt_level_2", "halt_level_3"])
@pytest.mark.parametrize("market", [Market(), Market(**DOWN)])
def test_nothing_is_bought_or_sold_into_a_halt(level: str, market: Market) -> None:
    found = Market(**{**vars(market), "on": frozenset({level})}).decide()
    assert (found.action, found.size_fraction) == (Action.WAIT, 0.0)
    assert _path(found) == [("halt", "yes")]


@pytest.mark.parametrize("shock", ["one_day_fall", "five_day_fall"])
def test_nothing_is_sold_into_a_shock(shock: str) -> None:
    found = Market(**DOWN, on=frozenset({shock})).decide()
    assert (found.action, found.size_fraction) == (Action.WAIT, 0.0)


def test_a_lasting_downtrend_is_reduced_to_what_volatility_allows() -> None:
    found = Market(**DOWN, sigma=0.30).decide()
    assert (found.action, found.size_fraction) == (Action.REDUCE, 0.125)


def test_a_young_downtrend_waits() -> None:
    assert Market(**{**DOWN, "year": 0.02, "rising": 1}).decide().action is Action.WAIT


def test_a_recovery_below_the_average_is_entered_slowly() -> None:
    found = Market(**{**DOWN, "rising": 2}).decide()
    assert found.action is Action.STAGE
    assert found.size_fraction == pytest.approx(0.33)


def test_the_floor_never_overrides_what_volatility_allows() -> None:
    found = Market(**{**DOWN, "rising": 2}, sigma=1.5).decide()
    assert (found.action, found.size_fraction) == (Action.STAGE, 0.1)


def test_back_inside_the_band_is_entered_slowly() -> None:
    assert Market(**{**DOWN, "distance": -0.01}).decide().action is Action.STAGE
    assert Market(**{**DOWN, "distance": -0.021}).decide().action is Action.REDUCE


@pytest.mark.proof
@given(market=MARKETS)
def test_no_market_makes_the_rules_lever_or_cite_what_is_not_known(market: Market) -> None:
    case = market.case()
    found = decide(case)
    cited = {name for step in found.steps for name in step.evidence}
    assert cited - set(case.book.values) <= CHART_FACTS
    assert 0.0 <= found.size_fraction <= 1.0
    assert case.sizing.target <= min(1.0, case.sizing.breaker_cap)
    if found.action is Action.INVEST_NOW:
        assert not any(breaker.is_on for breaker in case.breakers)
    if found.action is Action.STAGE:
        assert found.size_fraction >= min(STAGED_FLOOR, case.sizing.volatility_scale)
        assert found.size_fraction <= case.sizing.volatility_scale
    if found.action is Action.WAIT:
        assert found.size_fraction == 0.0


CHART_FACTS = {
    "chart.intraday_fall",
    "chart.worst_day_3d",
    "chart.return_5d",
    "trend.momentum_3m",
    "trend.momentum_6m",
}
"""Facts that the tree only shows, and that this market leaves out."""


@given(market=MARKETS, more=st.floats(0.0, 1.0))
def test_more_volatility_never_means_a_larger_position(market: Market, more: float) -> None:
    wilder = Market(**{**vars(market), "sigma": market.sigma + more})
    assert wilder.case().sizing.target <= market.case().sizing.target


@given(size=st.floats(0.0, 1.0), up=st.booleans())
def test_the_steps_of_a_staged_entry_add_up_and_avoid_weekends(size: float, up: bool) -> None:  # noqa: FBT001  drawn
    size = round(size, 6)
    steps = staged(Market(is_up=up).case().book, size_fraction=size, as_of=FRIDAY, session=Session.EXCHANGE)
    assert sum(step.fraction for step in steps) == pytest.approx(size, abs=1e-6)
    assert steps[0].due_at == FRIDAY
    assert all(step.due_at and step.due_at.weekday() < 5 for step in steps)
    assert [step.due_at for step in steps] == sorted(step.due_at for step in steps if step.due_at)


def test_a_recommendation_lasts_three_trading_days() -> None:
    assert expires_at(FRIDAY, Session.EXCHANGE) == FRIDAY + timedelta(days=5)
    assert expires_at(FRIDAY, Session.CONTINUOUS) == FRIDAY + timedelta(days=3)


@pytest.mark.proof
@given(market=MARKETS, held=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_no_invalidation_holds_on_the_evidence_it_was_made_from(market: Market, held: float) -> None:
    case = market.case()
    is_consistent = market.is_up == (market.distance > 0)
    for predicate in invalidations(_advice(case, held=held)):
        if predicate.metric == "chart.close" and is_consistent:
            assert not predicate.holds(case.book["chart.close"])
        if predicate.metric in {"volatility.sigma_annual", drop_id(*KEY_DROP)}:
            assert not predicate.holds(case.book[predicate.metric])


def test_what_would_change_a_purchase_a_pause_and_a_holding_differs() -> None:
    bought = invalidations(_advice(Market().case()))
    shock = Market(**DOWN, on=frozenset({"five_day_fall"}))
    paused = invalidations(_advice(shock.case()))
    holding = invalidations(_advice(Market().case(), held=0.9))
    assert {predicate.metric for predicate in bought} >= {"chart.close", "volatility.sigma_annual"}
    assert [predicate.text for predicate in paused] == [
        "the trend turns up",
        "the breaker five_day_fall clears",
    ]
    assert [predicate.text for predicate in holding] == [
        "the trend turns down",
        "the volatility forecast would call for holding less",
    ]
    assert holding[1].value == pytest.approx(TARGET_SIGMA_ANNUAL * 1.2 / 0.9)


def _advice(case: Case, *, held: float = 0.0) -> Advice:
    """Return the advice after a week of days like this one."""
    today = day_of(case, FRIDAY)
    standing = confirm((today,) * 5, today)
    return Advice(case, today, (today,) * 5, FRIDAY, held, standing, settle(standing, held=held))
