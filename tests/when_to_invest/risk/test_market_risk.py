from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from when_to_invest.features.readings import Readings
from when_to_invest.instruments import Session
from when_to_invest.risk.market_breakers import BREAKERS, combined_cap, read_breakers
from when_to_invest.risk.score import PARTS, score_parts, total_score

CALM = Readings(
    close=100.0,
    day_return=0.0,
    worst_day=-0.005,
    week_return=0.01,
    intraday_fall=-0.003,
    drawdown=-0.02,
    week_volatility=0.1,
    week_volatility_median=0.12,
    long_run_volatility=0.18,
    reference=100.0,
    intraday_rise=0.004,
)
TRIPS = {
    "one_day_fall": {"worst_day": -0.03},
    "five_day_fall": {"week_return": -0.07},
    "volatility_spike": {"week_volatility": 0.24},
    "drawdown": {"drawdown": -0.20},
    "price_band_down": {"intraday_fall": -0.05},
    "price_band_up": {"intraday_rise": 0.05},
    "halt_level_1": {"intraday_fall": -0.07},
    "halt_level_2": {"intraday_fall": -0.13},
    "halt_level_3": {"intraday_fall": -0.20},
}
CLEAR = {
    "one_day_fall": {"worst_day": -0.0299},
    "five_day_fall": {"week_return": -0.0699},
    "volatility_spike": {"week_volatility": 0.239},
    "drawdown": {"drawdown": -0.1999},
    "price_band_down": {"intraday_fall": -0.0499},
    "price_band_up": {"intraday_rise": 0.0499},
    "halt_level_1": {"intraday_fall": -0.0699},
    "halt_level_2": {"intraday_fall": -0.1299},
    "halt_level_3": {"intraday_fall": -0.1999},
}
FACTS = st.fixed_dictionaries({rule.evidence: st.floats(-5, 5) for rule in PARTS})


def _on(readings: Readings, session: Session = Session.EXCHANGE) -> list[str]:
    return [breaker.id for breaker in read_breakers(readings, session) if breaker.is_on]


def test_a_calm_market_trips_nothing() -> None:
    assert _on(CALM) == []
    assert combined_cap(read_breakers(CALM, Session.EXCHANGE)) == 1.0


def test_every_breaker_has_a_case_here() -> None:
    assert {rule.id for rule in BREAKERS} == set(TRIPS) == set(CLEAR)


@pytest.mark.parametrize("name", TRIPS)
def test_a_breaker_trips_at_its_threshold_and_not_before(name: str) -> None:
    assert name in _on(replace(CALM, **TRIPS[name]))
    assert name not in _on(replace(CALM, **CLEAR[name]))


@pytest.mark.parametrize("name", ["halt_level_1", "halt_level_2", "halt_level_3"])
def test_after_an_exchange_halt_nothing_may_be_added(name: str) -> None:
    assert combined_cap(read_breakers(replace(CALM, **TRIPS[name]), Session.EXCHANGE)) == 0.0


def test_the_smallest_cap_wins() -> None:
    both = replace(CALM, worst_day=-0.05, week_return=-0.09)
    assert combined_cap(read_breakers(both, Session.EXCHANGE)) == 0.25


def test_a_market_three_times_as_wild_needs_falls_three_times_as_deep() -> None:
    wild = replace(CALM, long_run_volatility=0.6, worst_day=-0.08)
    assert _on(wild, Session.CONTINUOUS) == []
    assert "one_day_fall" in _on(replace(wild, worst_day=-0.09), Session.CONTINUOUS)


@pytest.mark.parametrize(
    ("reference", "volatility", "band"),
    [
        (100.0, 0.40, 0.05),
        (100.0, 0.41, 0.10),
        (3.01, 0.9, 0.10),
        (3.0, 0.1, 0.20),
        (0.75, 0.1, 0.20),
        (0.5, 0.1, 0.30),
        (0.1, 0.1, 0.75),
    ],
)
def test_a_price_band_follows_the_tier_of_the_instrument(
    reference: float, volatility: float, band: float
) -> None:
    seen = replace(CALM, reference=reference, long_run_volatility=volatility)
    for move, name in (("intraday_fall", "price_band_down"), ("intraday_rise", "price_band_up")):
        sign = 1.0 if move == "intraday_rise" else -1.0
        assert name in _on(replace(seen, **{move: sign * band}))
        assert name not in _on(replace(seen, **{move: sign * (band - 0.001)}))


def test_a_price_band_of_a_market_that_never_closes_is_in_units_of_its_own_volatility() -> None:
    wild = replace(CALM, long_run_volatility=0.8, reference=0.1, intraday_rise=0.19)
    assert "price_band_up" not in _on(wild, Session.CONTINUOUS)
    assert "price_band_up" in _on(replace(wild, intraday_rise=0.2), Session.CONTINUOUS)
    assert "price_band_down" in _on(replace(wild, intraday_fall=-0.2), Session.CONTINUOUS)


def test_exchange_halts_do_not_exist_where_there_is_no_exchange() -> None:
    assert not any("halt" in breaker.id for breaker in read_breakers(CALM, Session.CONTINUOUS))


def test_every_breaker_says_when_it_clears() -> None:
    assert all(breaker.clears_when for breaker in read_breakers(CALM, Session.EXCHANGE))


@given(facts=FACTS)
def test_the_risk_score_is_a_mean_of_parts_between_0_and_100(facts: dict[str, float]) -> None:
    parts = score_parts(facts)
    assert all(0.0 <= part.score <= 100.0 for part in parts)
    assert min(p.score for p in parts) - 1e-9 <= total_score(parts) <= max(p.score for p in parts) + 1e-9


def test_worse_facts_never_score_lower() -> None:
    calm = {rule.evidence: rule.calm for rule in PARTS}
    for rule in PARTS:
        middle = {**calm, rule.evidence: (rule.calm + rule.severe) / 2}
        severe = {**calm, rule.evidence: rule.severe}
        scores = [total_score(score_parts(facts)) for facts in (calm, middle, severe)]
        assert scores == sorted(scores)
        assert scores[0] == 0.0 < scores[2]


def test_the_weights_of_the_parts_add_up() -> None:
    assert sum(rule.weight for rule in PARTS) == pytest.approx(1.0)
