from __future__ import annotations

import pytest

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Recommendation

LONG, SHORT = recommend(daily_snapshot(1500)), recommend(daily_snapshot(530))


def test_every_figure_of_the_record_stands_in_the_evidence() -> None:
    card = LONG.calibration
    assert card is not None
    facts = {item.id: item.value for item in LONG.evidence}
    assert facts["calibration.forecasts"] == card.forecasts > 30
    assert facts["calibration.brier_skill"] == card.brier_skill
    assert (facts["calibration.ci90_low"], facts["calibration.ci90_high"]) == card.ci90
    assert facts["calibration.ece"] == card.ece
    assert facts["calibration.range_coverage"] == card.range_coverage
    assert card.up_has_skill == LONG.p_up.has_skill


def test_the_record_is_of_the_horizon_that_was_asked_for() -> None:
    card = recommend(daily_snapshot(1500), horizon_days=10).calibration
    assert card is not None
    assert (card.horizon_days, card.threshold_ratio, card.range_level) == (10, 0.05, 0.9)


def test_too_short_a_record_tells_nothing() -> None:
    card = SHORT.calibration
    assert card is not None
    assert card.forecasts < 30
    assert (card.brier_skill, card.ci90, card.ece, card.range_coverage) == (None,) * 4
    assert not card.has_skill
    assert "calibration.ece" not in {item.id for item in SHORT.evidence}


@pytest.mark.parametrize("answer", [LONG, SHORT])
def test_falls_in_own_units_are_evidence_too(answer: Recommendation) -> None:
    facts = {item.id: item.value for item in answer.evidence}
    assert [each.sigmas for each in answer.p_drop_sigma] == [0.8, 1.6, 2.4]
    for each in answer.p_drop_sigma:
        assert facts[each.evidence] == each.value
        assert facts[f"{each.evidence}.baseline"] == each.baseline
        assert facts[f"{each.evidence}.threshold"] == each.threshold_ratio
        assert each.horizon_days == answer.horizon_days
