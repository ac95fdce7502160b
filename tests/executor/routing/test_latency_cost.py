"""What waiting costs: the price of an option at the money."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest

from executor.routing.latency import exposure_s, latency_cost_usd, variance_per_s
from executor.routing.offers import Delivery
from tests.executor.routing.places import PROMPT, D
from when_to_invest.intervals import Session


def cost(variance: str, delivery: Delivery, age_s: str = "0") -> Decimal:
    return latency_cost_usd(D(100), variance_per_s=D(variance), delivery=delivery, age_s=D(age_s))


def test_it_is_what_a_price_moves_against_us_on_average() -> None:
    """E[max(√(v·t)·Z, 0)] over many draws, with v = 1e-6 a second and t = 4 s."""
    draw = Random(5)  # noqa: S311 - a simulation
    simulated = sum(max(draw.gauss(0, 0.002), 0) for _ in range(200_000)) / 200_000 * 100
    assert float(cost("1e-6", Delivery(D(3), D(1), D(0)))) == pytest.approx(simulated, rel=0.01)


def test_four_times_as_long_costs_twice_as_much() -> None:
    one, four = (cost("1e-6", Delivery(D(s), D(0), D(0))) for s in (1, 4))
    assert four == pytest.approx(2 * one)


def test_without_time_or_variance_it_costs_nothing() -> None:
    assert cost("1e-6", PROMPT) == 0
    assert cost("0", Delivery(D(1), D(1), D(0))) == 0


def test_half_rejected_takes_twice_as_long() -> None:
    assert exposure_s(Delivery(D(1), D("0.5"), D("0.5")), age_s=D("0.5")) == 4


def test_a_years_volatility_is_spread_over_the_seconds_that_trade() -> None:
    day = variance_per_s(D("0.5"), Session.CONTINUOUS) * 86_400
    assert float(day) ** 0.5 == pytest.approx(0.5 / 365**0.5)
    session = variance_per_s(D("0.16"), Session.EXCHANGE) * 23_400
    assert float(session) ** 0.5 == pytest.approx(0.16 / 252**0.5)
