"""A year's money: three ways of putting it in, by hand and by rule."""

from __future__ import annotations

import numpy as np
import pytest

from when_to_invest.evaluation.deployment import (
    COST_RATIO,
    PACE,
    Outcomes,
    deployment_score,
    rolling_outcomes,
)
from when_to_invest.evaluation.monthly import Months

KEPT = 1.0 - COST_RATIO


def months(close: np.ndarray) -> Months:
    """Return months whose money pays the close of the month before."""
    return Months(
        month=np.arange(len(close), dtype=np.int64), close=close, price=np.append(close[:1], close[:-1])
    )


def test_in_a_steady_rise_everything_goes_in_at_once() -> None:
    found = rolling_outcomes(months(100.0 * 1.01 ** np.arange(60)), first=20, last=40)
    assert found.staged == pytest.approx(found.lump)
    assert found.lump == pytest.approx(np.full(len(found), KEPT * 1.01**12))
    parts = KEPT * np.mean(1.01 ** np.arange(1, 13))
    assert found.dca == pytest.approx(np.full(len(found), parts))


def test_in_a_steady_fall_nothing_goes_in() -> None:
    found = rolling_outcomes(months(100.0 * 0.95 ** np.arange(60)), first=20, last=40)
    assert found.staged == pytest.approx(np.ones(len(found)))
    assert (found.lump < found.dca).all()


def test_below_the_average_while_most_momenta_rise_a_twelfth_goes_in() -> None:
    rise = 100.0 * 1.03 ** np.arange(30)
    close = np.concatenate((rise, np.full(1, rise[-1] * 0.85), np.full(30, rise[-1] * 0.85)))
    found = rolling_outcomes(months(close), first=31, last=31)
    assert pytest.approx(1 / 12) == PACE
    assert 0.0 < 1.0 - found.staged[0] < COST_RATIO


def test_only_starts_whose_year_is_over_count() -> None:
    flat = months(np.full(60, 100.0))
    assert len(rolling_outcomes(flat, first=20, last=59)) == 60 - 12 - 20
    assert len(rolling_outcomes(flat, first=20, last=25)) == 6
    assert len(rolling_outcomes(flat, first=55, last=59)) == 0


def test_what_a_start_yields_does_not_depend_on_later_months() -> None:
    close = 100.0 * np.exp(np.cumsum(0.05 * np.random.default_rng(3).standard_normal(120)))
    changed = close.copy()
    changed[60:] *= np.linspace(1.0, 3.0, 60)
    ours, theirs = (rolling_outcomes(months(each), first=20, last=47) for each in (close, changed))
    assert ours.staged.tolist() == theirs.staged.tolist()


def test_too_few_windows_give_no_figure_but_a_reason() -> None:
    notes: list[str] = []
    few = np.ones(29)
    score = deployment_score(Outcomes(few, few, few), notes)
    assert score.vs_dca_pp is score.vs_lump_pp is score.es5_vs_lump_pp is None
    assert "29 windows" in notes[0]


def test_gains_are_in_hundredths_of_the_budget() -> None:
    lump = np.linspace(0.6, 1.4, 200)
    score = deployment_score(Outcomes(staged=lump + 0.02, dca=lump - 0.01, lump=lump), [])
    assert score.vs_lump_pp == pytest.approx(2.0)
    assert score.vs_dca_pp == pytest.approx(3.0)
    assert score.es5_vs_lump_pp == pytest.approx(2.0)
    assert score.vs_lump_ci90 == pytest.approx((2.0, 2.0))


def test_a_few_overlapping_years_give_no_interval() -> None:
    lump = np.linspace(0.6, 1.4, 143)
    score = deployment_score(Outcomes(staged=lump + 0.02, dca=lump - 0.01, lump=lump), [])
    assert score.vs_lump_pp == pytest.approx(2.0)
    assert score.vs_lump_ci90 == score.es5_vs_lump_ci90 == (None, None)


@pytest.mark.parametrize(("count", "is_known"), [(63, False), (143, False), (144, True)])
def test_few_windows_have_no_interval_and_no_worst_twentieth_and_say_so(
    count: int, *, is_known: bool
) -> None:
    wealth = 1.0 + 0.1 * np.random.default_rng(1).standard_normal((3, count))
    notes: list[str] = []
    score = deployment_score(Outcomes(*wealth), notes)
    assert score.vs_dca_pp is not None
    assert (score.es5_vs_lump_pp is not None) is is_known
    assert (score.vs_dca_ci90[0] is not None) is is_known
    assert any(f"{count} windows" in note for note in notes) is not is_known
