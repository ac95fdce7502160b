from __future__ import annotations

import pytest

from benchmarks.flip_flop import measured, restlessness, standing_actions, trading
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.decision.recommendation import Action

UP, PARTLY, NO = Action.INVEST_NOW, Action.STAGE, Action.WAIT


def test_a_change_that_is_back_within_five_days_counts_as_reversed() -> None:
    quick = restlessness([UP] * 4 + [NO] * 5 + [UP] * 3, days_per_year=12.0)
    assert (quick.changes, quick.reversed_share) == (2.0, 0.5)
    slow = restlessness([UP] * 4 + [NO] * 6 + [UP] * 2, days_per_year=12.0)
    assert (slow.changes, slow.reversed_share) == (2.0, 0.0)
    onwards = restlessness([UP, PARTLY, NO], days_per_year=3.0)
    assert (onwards.changes, onwards.reversed_share) == (2.0, 0.0)


def test_an_answer_that_never_changes_is_calm() -> None:
    assert restlessness([UP] * 9, days_per_year=252.0).changes == 0.0
    assert restlessness([], days_per_year=252.0).reversed_share == 0.0


def test_a_trade_undone_by_another_counts_as_reversed() -> None:
    found = trading([0.5, 0.0, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.4], days_per_year=9.0)
    assert found.changes == 3.0
    assert found.reversed_share == pytest.approx(1 / 3)


def test_hysteresis_makes_made_up_markets_calmer() -> None:
    found = measured(daily_snapshot(1400, seed=2))
    assert found.standing.changes < found.raw.changes
    assert found.patient.changes <= found.hasty.changes
    assert standing_actions([]) == []
