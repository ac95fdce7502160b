"""Figures by hand on short courses, and what a report says beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.strategies.trials import walk
from when_to_invest.backtest.course import Course
from when_to_invest.backtest.figures import edge_over, figures_of
from when_to_invest.backtest.named import NAMED
from when_to_invest.backtest.report import CAVEATS, run_backtest
from when_to_invest.backtest.terms import YEAR_US, Terms
from when_to_invest.backtest.trial import make_trial


def course(equity: list[float], *, years: float = 2.0, rate: float = 0.0) -> Course:
    count = len(equity)
    return Course(
        opened_us=np.linspace(0, years * YEAR_US, count).astype(np.int64),
        close=np.full(count, 10.0),
        equity=np.array(equity),
        units=np.array(equity) / 20.0,
        arrivals=np.eye(1, count)[0],
        growth=np.full(count, 1.0 + rate),
        fees=0.01,
        turnover=3.0,
        fills=2,
    )


def test_growth_fall_and_turnover_are_what_they_are_by_hand() -> None:
    found = figures_of(course([1.0, 1.2, 0.9, 1.0, 1.21]))
    assert found.total_return == pytest.approx(0.21)
    assert found.cagr == pytest.approx(0.1)
    assert found.max_drawdown == pytest.approx(0.9 / 1.2 - 1.0)
    assert found.under_water_share == pytest.approx(2 / 5)
    assert found.under_water_days == pytest.approx(365.25, abs=1e-3)
    assert found.turnover_per_year == pytest.approx(1.5)
    assert found.mean_exposure == pytest.approx(0.5)


def test_volatility_and_sharpe_are_annualised_by_the_bars_there_were() -> None:
    made = course([1.0, 1.1, 1.0, 1.2, 1.3], rate=0.01)
    returns = np.array([0.0, 0.1, 1.0 / 1.1 - 1, 0.2, 1.3 / 1.2 - 1])
    found = figures_of(made)
    assert found.volatility_annual == pytest.approx(returns.std(ddof=1) * np.sqrt(5 / 2))
    excess = returns - 0.01
    assert found.sharpe == pytest.approx(excess.mean() / excess.std(ddof=1) * np.sqrt(5 / 2))


def test_below_a_year_there_is_no_yearly_growth_and_without_movement_no_sharpe() -> None:
    assert figures_of(course([1.0, 1.1, 1.2], years=0.9)).cagr is None
    assert figures_of(course([1.0, 1.0, 1.0])).sharpe is None


def test_a_loss_from_the_first_bar_on_is_a_fall() -> None:
    assert figures_of(course([0.9, 0.8, 0.85])).max_drawdown == pytest.approx(-0.2)


def test_an_edge_over_oneself_is_none() -> None:
    made = course([1.0, 1.1, 1.0, 1.2])
    assert edge_over(made, made).annual == 0.0
    assert edge_over(made, made).t is None
    assert edge_over(made, course([1.0, 1.0, 1.0, 1.0])).annual > 0.0


@pytest.mark.parametrize("name", ["trend_vol", "dca", "buy_and_hold"])
def test_a_report_stands_beside_its_baselines(name: str) -> None:
    named = NAMED[name]
    trial = make_trial(walk(2_600, seed=9), first=260, terms=Terms(slippage_bps=2.0))
    result = run_backtest(named.make(), trial, plans_steps=named.plans_steps)
    assert result.buy_and_hold.mean_exposure == pytest.approx(1.0)
    assert result.constant_mix.mean_exposure == pytest.approx(result.figures.mean_exposure, abs=0.03)
    assert set(CAVEATS) <= set(result.notes)
    assert 2 <= len(result.parts) <= 5


def test_sub_periods_chain_to_the_whole() -> None:
    result = run_backtest(NAMED["sma200_band"].make(), make_trial(walk(2_600, seed=10)))
    chained = np.prod([1.0 + part.total_return for part in result.parts])
    held = np.prod([1.0 + part.buy_and_hold_return for part in result.parts])
    assert chained == pytest.approx(1.0 + result.figures.total_return)
    assert held == pytest.approx(1.0 + result.buy_and_hold.total_return)
    assert any(part.is_behind for part in result.parts)


def test_buy_and_hold_against_itself_is_level() -> None:
    result = run_backtest(NAMED["buy_and_hold"].make(), make_trial(walk(900, seed=9)), plans_steps=True)
    assert result.figures == result.buy_and_hold
    assert not any(part.is_behind for part in result.parts)


def test_a_strategy_that_never_trades_is_told_so() -> None:
    result = run_backtest(NAMED["sma200_band"].make(), make_trial(walk(100, seed=1)))
    assert "No order was filled" in result.notes[0]


def test_cash_that_arrives_is_no_return() -> None:
    made = replace(course([0.5, 1.1, 1.21]), arrivals=np.array([0.5, 0.5, 0.0]))
    assert made.returns() == pytest.approx([0.0, 0.1, 0.1])
    assert figures_of(made).total_return == pytest.approx(0.21)
