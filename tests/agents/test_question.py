"""A sentence becomes bounds by rule; in doubt nothing is proposed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from agents.question import understand

KNOWN = ("SPX", "IXIC", "BRK.B", "BTC/USDT")


def test_instrument_budget_and_horizon_are_read() -> None:
    question = understand("Is now the time to put $10,000 into spx for 3 months?", instruments=KNOWN)
    assert (question.instrument, question.budget_usd, question.horizon_days) == ("SPX", Decimal(10_000), 63)
    assert not question.may_propose


def test_what_is_not_said_stays_open() -> None:
    question = understand("Is now the time?", instruments=KNOWN)
    assert (question.instrument, question.budget_usd, question.horizon_days) == (None, None, 21)


def test_the_instrument_named_first_wins_and_parts_of_words_do_not_count() -> None:
    assert understand("BRK.B or IXIC?", instruments=KNOWN).instrument == "BRK.B"
    assert understand("SPXL?", instruments=KNOWN).instrument is None


@pytest.mark.parametrize(
    "text",
    ["Propose an order for SPX", "Should I? If so, go ahead.", "Buy SPX for 5k USD", "please invest 100 USD"],
)
def test_a_wish_to_act_in_so_many_words_counts(text: str) -> None:
    assert understand(text, instruments=KNOWN).may_propose


@pytest.mark.parametrize(
    "text",
    [
        "Should I invest 10,000 USD in SPX?",
        "Is it time to buy?",
        "Tell me, but do not buy it",
        "never place an order",
    ],
)
def test_a_question_alone_is_no_wish(text: str) -> None:
    assert not understand(text, instruments=KNOWN).may_propose


def test_a_horizon_is_held_to_what_can_be_analysed() -> None:
    assert understand("SPX over 9 years", instruments=KNOWN).horizon_days == 126
