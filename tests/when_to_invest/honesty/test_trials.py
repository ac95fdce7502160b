"""What was tried stays tried."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.sharpe import ReturnMoments
from when_to_invest.honesty.trials import Trial, TrialLedger, deflate

RECORD = ReturnMoments(sharpe=0.1, skewness=0.0, kurtosis=3.0, count=1_000)


def grown(*ratios: float, family: str = "overlay", same: bool = False) -> TrialLedger:
    ledger = TrialLedger()
    for number, ratio in enumerate(ratios):
        ledger = ledger.append(
            Trial(
                id=f"t-{number}",
                at=datetime(2018, 1, 1, tzinfo=UTC),
                family=family,
                instrument="SPX",
                parameters_hash=f"{0 if same else number:064x}",
                sharpe_per_bar=ratio,
                bars=1_000,
                previous=ledger.head,
            )
        )
    return ledger


def test_every_trial_makes_the_chosen_one_less_believable() -> None:
    ratios = (0.02, 0.1, 0.05, -0.03, 0.06)
    chances = [deflate(RECORD, grown(*ratios[:count]), family="overlay").probability for count in (1, 3, 5)]
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] < chances[0]


def test_the_same_parameters_tried_again_count_once() -> None:
    assert len(grown(0.1, 0.1, 0.1, same=True).distinct("overlay")) == 1


def test_another_familys_trials_do_not_count() -> None:
    found = deflate(RECORD, grown(0.1, 0.9), family="deployment")
    assert (found.trials, found.hurdle) == (1, 0.0)


def test_what_was_tried_before_the_ledger_counts_too() -> None:
    found = deflate(RECORD, grown(0.1), family="overlay", earlier_trials=59, earlier_dispersion=0.02)
    assert found.trials == 60
    assert found.hurdle > 0.04


def test_a_trial_that_does_not_follow_is_refused() -> None:
    ledger = grown(0.1, 0.2, 0.3)
    with pytest.raises(Fault) as caught:
        TrialLedger().append(ledger.trials[0], ledger.trials[2])
    assert caught.value.code is ErrorCode.CORRUPT_DATA


def test_a_taken_id_is_refused() -> None:
    ledger = grown(0.1)
    again = ledger.trials[0].model_copy(update={"previous": ledger.head})
    with pytest.raises(Fault) as caught:
        ledger.append(again)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT
